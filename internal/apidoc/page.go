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
	pageSource string
	//go:embed page.css
	pageStyle string

	pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
		"type": func(s *Schema) string { return typeScriptOf(s, "") }, "has": slices.Contains[[]string],
		"upper": strings.ToUpper, "last": func(ref string) string { return ref[strings.LastIndex(ref, "/")+1:] },
	}).Parse(pageSource))
)

// ContentSecurityPolicy is the page's Content-Security-Policy: it allows the page's own style and nothing else.
var ContentSecurityPolicy = func() string {
	sum := sha256.Sum256([]byte(pageStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}()

// pageGroup is what the page shows under one heading.
type pageGroup struct {
	Name       string
	Operations []operationRow
	Schemas    []namedSchema
}

type operationRow struct {
	Method, Path string
	*Operation
}

type namedSchema struct {
	Name string
	*Schema
}

// methodOrder is the order in which the page shows the methods of a path.
var methodOrder = []string{"get", "post", "patch", "delete"}

// HTMLPage returns the document as an HTML page for people. It needs no script and no other file.
func (d *Document) HTMLPage() (string, error) {
	var groups []pageGroup
	for _, tag := range d.Tags {
		g := pageGroup{Name: tag.Name}
		for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
			for _, method := range methodOrder {
				if o := d.Paths[path][method]; o != nil && slices.Contains(o.Tags, tag.Name) {
					g.Operations = append(g.Operations, operationRow{method, path, o})
				}
			}
		}
		for _, kind := range []string{"Record", "Create", "Update"} {
			if s := d.Components.Schemas[pascalCase(tag.Name)+kind]; s != nil {
				g.Schemas = append(g.Schemas, namedSchema{pascalCase(tag.Name) + kind, s})
			}
		}
		groups = append(groups, g)
	}
	var text bytes.Buffer
	err := pageTemplate.Execute(&text, map[string]any{"Info": d.Info, "Groups": groups, "CSS": template.CSS(pageStyle)}) // #nosec G203 -- our own file
	if err != nil {
		return "", fmt.Errorf("write the page of the API: %w", err)
	}
	return text.String(), nil
}
