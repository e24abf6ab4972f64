// Chatbot is an app with a notification channel of its own: users who give it the address of a chat room's incoming
// webhook can read their notifications in that room.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks"
)

// Rooms are the addresses of the webhooks, by user id. A real app would store them in a collection.
type Rooms map[string]string

func main() {
	app := pocketbase.NewWithConfig(hooks.Config())
	Rooms{}.Extend(app, hooks.Bind(app))
	if err := app.Start(); err != nil {
		log.Fatal(err)
	}
}

// Extend binds the channel. It runs in a job after the commit, and runs again if it fails.
func (rooms Rooms) Extend(_ core.App, social *hooks.Social) {
	client := &http.Client{Timeout: 5 * time.Second}
	social.OnNotified().BindFunc(func(e *hooks.NotifiedEvent) error {
		room := rooms[e.Recipient.Id]
		if room == "" {
			return e.Next()
		}
		body, err := json.Marshal(map[string]string{"text": fmt.Sprintf("@%s: %s", e.Actor.GetString("handle"), e.Type)})
		if err != nil {
			return err
		}
		response, err := client.Post(room, "application/json", bytes.NewReader(body))
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode >= 300 {
			return fmt.Errorf("chat: %s", response.Status)
		}
		return e.Next()
	})
}
