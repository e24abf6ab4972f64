package page

import (
	"encoding/xml"
	"fmt"
	"net/url"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
)

// listed is how many rows a page of the sitemap is about; those that a guest may not see are not in it.
const listed = 5000

// Sitemap names every page that a guest may see, or the parts that do.
type Sitemap struct {
	XMLName xml.Name
	Space   string  `xml:"xmlns,attr"`
	Parts   []Entry `xml:"sitemap"`
	URLs    []Entry `xml:"url"`
}

// Entry is one address.
type Entry struct {
	Loc     string `xml:"loc"`
	LastMod string `xml:"lastmod,omitempty"`
}

const sitemaps = "http://www.sitemaps.org/schemas/sitemap/0.9"

// kinds are what a sitemap has parts of: the collection, the column that the address is made of, and what goes before it.
var kinds = map[string]struct{ column, path, only string }{
	"posts":    {"id", "/p/", ""},
	"users":    {"handle", "/@", "users.handle != '' AND NOT users.private"},
	"hashtags": {"name", "/tags/", ""},
}

// Index is the sitemap of sitemaps.
func Index(app core.App) (*Sitemap, error) {
	index := &Sitemap{XMLName: xml.Name{Local: "sitemapindex"}, Space: sitemaps}
	for _, name := range []string{"posts", "users", "hashtags"} {
		var rows int
		if _, err := db.Value(app, &rows, "SELECT count(*) FROM "+name, nil); err != nil {
			return nil, fmt.Errorf("count %s: %w", name, err)
		}
		for part := 0; part*listed < rows; part++ {
			index.Parts = append(index.Parts, Entry{Loc: fmt.Sprintf("%s/sitemap/%s-%d.xml", Base(app), name, part)})
		}
	}
	return index, nil
}

// Part is one of the sitemaps that the index names, or nil when there is none.
func Part(app core.App, name string, part int) (*Sitemap, error) {
	kind, known := kinds[name]
	if !known || part < 0 {
		return nil, nil
	}
	collection, err := app.FindCachedCollectionByNameOrId(name)
	if err != nil {
		return nil, fmt.Errorf("find collection %s: %w", name, err)
	}
	var first, next string
	some, err := db.Value(app, &first, "SELECT id FROM "+name+" ORDER BY id LIMIT 1 OFFSET {:at}", db.Params{"at": part * listed})
	if err != nil || !some {
		return nil, err
	}
	more, err := db.Value(app, &next, "SELECT id FROM "+name+" ORDER BY id LIMIT 1 OFFSET {:at}", db.Params{"at": (part + 1) * listed})
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
	if err := ruled(app, q, collection, collection.ListRule); err != nil {
		return nil, err
	}
	var rows []struct {
		Name    string `db:"name"`
		Updated string `db:"updated"`
	}
	if err := q.All(&rows); err != nil {
		return nil, fmt.Errorf("list %s for the sitemap: %w", name, err)
	}
	m := &Sitemap{XMLName: xml.Name{Local: "urlset"}, Space: sitemaps, URLs: make([]Entry, len(rows))}
	for i, row := range rows {
		m.URLs[i] = Entry{Loc: Base(app) + kind.path + url.PathEscape(row.Name), LastMod: row.Updated[:min(10, len(row.Updated))]}
	}
	return m, nil
}

// XML is the sitemap as it is sent.
func (m *Sitemap) XML() ([]byte, error) {
	body, err := xml.Marshal(m)
	return append([]byte(xml.Header), body...), err
}

// Robots is /robots.txt.
func Robots(app core.App) []byte {
	return []byte("User-agent: *\nAllow: /api/files/\nDisallow: /api/\nDisallow: /_/\n\nSitemap: " + Base(app) + "/sitemap.xml\n")
}
