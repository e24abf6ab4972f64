// Package pb_public is the web app; it embeds itself, so that one file really is the whole service.
package pb_public

import "embed"

// FS holds the files of the web app, with index.html at its root.
//
//go:embed index.html manifest.json *.js *.css *.svg *.png
//go:embed screens/*.js lib/*.js lib/*.ts
//go:embed vendor/*.js vendor/*.txt
var FS embed.FS
