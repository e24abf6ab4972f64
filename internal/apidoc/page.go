package apidoc

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"
)

var (
	//go:embed page.html
	page string
	//go:embed page.css
	css string

	pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
		"type": func(s *Schema) string { return typeOf(s, "") }, "has": slices.Contains[[]string],
		"upper": strings.ToUpper, "last": func(ref string) string { return ref[strings.LastIndex(ref, "/")+1:] },
	}).Parse(page))
)

// Policy is the page's Content-Security-Policy: its own style and nothing else at all.
var Policy = func() string {
	sum := sha256.Sum256([]byte(css))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}()

// group is what the page shows under one heading.
type group struct {
	Name       string
	Operations []row
	Schemas    []named
}

type row struct {
	Method, Path string
	*Operation
}

type named struct {
	Name string
	*Schema
}

// methods are in the order in which the page has them.
var methods = []string{"get", "post", "patch", "delete"}

// Page is the document as HTML, for people. It needs no script and no other file.
func (d *Document) Page() (string, error) {
	var groups []group
	for _, tag := range d.Tags {
		g := group{Name: tag.Name}
		for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
			for _, method := range methods {
				if o := d.Paths[path][method]; o != nil && slices.Contains(o.Tags, tag.Name) {
					g.Operations = append(g.Operations, row{method, path, o})
				}
			}
		}
		for _, kind := range []string{"Record", "Create", "Update"} {
			if s := d.Components.Schemas[pascal(tag.Name)+kind]; s != nil {
				g.Schemas = append(g.Schemas, named{pascal(tag.Name) + kind, s})
			}
		}
		groups = append(groups, g)
	}
	var text bytes.Buffer
	err := pageTemplate.Execute(&text, map[string]any{"Info": d.Info, "Groups": groups, "CSS": template.CSS(css)}) // #nosec G203 -- our own file
	if err != nil {
		return "", fmt.Errorf("write the page of the API: %w", err)
	}
	return text.String(), nil
}
