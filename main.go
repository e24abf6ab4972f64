package main

import (
	_ "doubletap/internal/rule"
	_ "doubletap/migrations"
	"log"

	"github.com/pocketbase/pocketbase"
)

func main() {
	app := pocketbase.New()
	log.Fatal(app.Start())
}
