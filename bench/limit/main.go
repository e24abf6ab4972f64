// Limit is the smallest possible server of likes: net/http, JSON and one goroutine that commits all waiting likes
// together. It checks no token and no rule, and has no listeners.
package main

import (
	"encoding/json"
	"flag"
	"log"
	"net/http"
	"os"
	"path/filepath"

	"github.com/doubletap/doubletap/bench/limit/store"
)

// maxBatch is how many likes one commit takes at most.
const maxBatch = 64

type pendingLike struct {
	like store.Like
	done chan error
}

func main() {
	log.SetFlags(0)
	if len(os.Args) < 2 || os.Args[1] != "serve" {
		return // `superuser upsert` has nothing to do here
	}
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	address := flags.String("http", "", "address")
	dir := flags.String("dir", "", "data folder of the careful subject")
	flags.Bool("dev", false, "ignored")
	_ = flags.Parse(os.Args[2:]) // it exits on an error
	db, err := store.Open(filepath.Join(*dir, "data.db"), os.Getenv("LIMIT_SYNCHRONOUS"))
	if err != nil {
		log.Fatal(err)
	}
	queue := make(chan *pendingLike, 1024)
	go commitBatches(db, queue)
	http.HandleFunc("GET /api/health", func(w http.ResponseWriter, _ *http.Request) {})
	http.HandleFunc("POST /api/collections/likes/records", func(w http.ResponseWriter, r *http.Request) {
		one := &pendingLike{done: make(chan error, 1)}
		if err := json.NewDecoder(r.Body).Decode(&one.like); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		queue <- one
		if err := <-one.done; err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{ // a client that has gone misses the answer
			"id": one.like.ID, "collectionName": "likes", "post": one.like.Post, "user": one.like.User, "created": one.like.Created, "updated": one.like.Created,
		})
	})
	log.Fatal(http.ListenAndServe(*address, nil))
}

// commitBatches commits all likes that wait; while the disk works, the next ones gather.
func commitBatches(db *store.DB, queue chan *pendingLike) {
	for first := range queue {
		group := []*pendingLike{first}
	gather:
		for len(group) < maxBatch {
			select {
			case next := <-queue:
				group = append(group, next)
			default:
				break gather
			}
		}
		likes := make([]store.Like, len(group))
		for i, one := range group {
			likes[i] = one.like
		}
		err := db.WriteLikes(likes)
		for i, one := range group {
			one.like = likes[i]
			one.done <- err
		}
	}
}
