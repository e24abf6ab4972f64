// Adopt is an app that existed before Doubletap: recipes, with users of its own. Three lines make it social.
package main

import (
	"log"

	"github.com/pocketbase/pocketbase"

	"github.com/doubletap/doubletap/hooks"
)

func main() {
	app := pocketbase.New()
	hooks.Bind(app)
	if err := app.Start(); err != nil {
		log.Fatal(err)
	}
}
