package sharepage

import (
	"encoding/xml"
	"fmt"
	"net/url"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/visibility"
)

// sitemapPageSize is how many rows one part of the sitemap covers; it leaves out those that a guest may not see.
const sitemapPageSize = 5000

// Sitemap lists the pages that a guest may see, or the parts that list them.
type Sitemap struct {
	XMLName xml.Name
	Space   string         `xml:"xmlns,attr"`
	Parts   []SitemapEntry `xml:"sitemap"`
	URLs    []SitemapEntry `xml:"url"`
}

// SitemapEntry is one address.
type SitemapEntry struct {
	Loc     string `xml:"loc"`
	LastMod string `xml:"lastmod,omitempty"`
}

const sitemapNamespace = "http://www.sitemaps.org/schemas/sitemap/0.9"

// sitemapKinds are the collections that have parts of the sitemap: the column of which a page's address is made, the
// path before it, and the SQL condition of the rows that have a page.
var sitemapKinds = map[string]struct{ column, path, only string }{
	"posts":    {"id", "/p/", ""},
	"users":    {"handle", "/@", "users.handle != '' AND NOT users.private"},
	"hashtags": {"name", "/tags/", ""},
}

// SitemapIndex returns the sitemap that lists the parts.
func SitemapIndex(app core.App) (*Sitemap, error) {
	index := &Sitemap{XMLName: xml.Name{Local: "sitemapindex"}, Space: sitemapNamespace}
	for _, name := range []string{"posts", "users", "hashtags"} {
		var rows int
		if _, err := db.QueryValue(app, &rows, "SELECT count(*) FROM "+name, nil); err != nil {
			return nil, fmt.Errorf("count %s: %w", name, err)
		}
		for part := 0; part*sitemapPageSize < rows; part++ {
			index.Parts = append(index.Parts, SitemapEntry{Loc: fmt.Sprintf("%s/sitemap/%s-%d.xml", BaseURL(app), name, part)})
		}
	}
	return index, nil
}

// SitemapPart returns one of the parts that the index lists, or nil if there is no such part.
func SitemapPart(app core.App, name string, part int) (*Sitemap, error) {
	kind, known := sitemapKinds[name]
	if !known || part < 0 {
		return nil, nil
	}
	collection, err := app.FindCachedCollectionByNameOrId(name)
	if err != nil {
		return nil, fmt.Errorf("find collection %s: %w", name, err)
	}
	var first, next string
	some, err := db.QueryValue(app, &first, "SELECT id FROM "+name+" ORDER BY id LIMIT 1 OFFSET {:at}", db.Params{"at": part * sitemapPageSize})
	if err != nil || !some {
		return nil, err
	}
	more, err := db.QueryValue(app, &next, "SELECT id FROM "+name+" ORDER BY id LIMIT 1 OFFSET {:at}", db.Params{"at": (part + 1) * sitemapPageSize})
	if err != nil {
		return nil, err
	}
	q := app.RecordQuery(collection).Select(name+"."+kind.column+" AS name", name+".updated").
		AndWhere(dbx.NewExp(name+".id >= {:first}", dbx.Params{"first": first})).OrderBy(name + ".id")
	if more {
		q.AndWhere(dbx.NewExp(name+".id < {:next}", dbx.Params{"next": next}))
	}
	if kind.only != "" {
		q.AndWhere(dbx.NewExp(kind.only))
	}
	if err := visibility.Restrict(app, q, collection, collection.ListRule, guestInfo); err != nil {
		return nil, err
	}
	var rows []struct {
		Name    string `db:"name"`
		Updated string `db:"updated"`
	}
	if err := q.All(&rows); err != nil {
		return nil, fmt.Errorf("list %s for the sitemap: %w", name, err)
	}
	m := &Sitemap{XMLName: xml.Name{Local: "urlset"}, Space: sitemapNamespace, URLs: make([]SitemapEntry, len(rows))}
	for i, row := range rows {
		m.URLs[i] = SitemapEntry{Loc: BaseURL(app) + kind.path + url.PathEscape(row.Name), LastMod: row.Updated[:min(10, len(row.Updated))]}
	}
	return m, nil
}

// EncodeXML returns the sitemap as XML.
func (m *Sitemap) EncodeXML() ([]byte, error) {
	body, err := xml.Marshal(m)
	return append([]byte(xml.Header), body...), err
}

// RobotsText returns the content of /robots.txt.
func RobotsText(app core.App) []byte {
	return []byte("User-agent: *\nAllow: /api/files/\nDisallow: /api/\nDisallow: /_/\n\nSitemap: " + BaseURL(app) + "/sitemap.xml\n")
}
