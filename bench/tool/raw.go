package main

import (
	"fmt"
	"time"

	"github.com/doubletap/doubletap/bench/limit/store"
	"github.com/doubletap/doubletap/bench/world"
)

// printRawRates prints how many likes a second SQLite itself stores, one by one and in groups, without HTTP. It
// writes the same rows as the bare server.
func printRawRates(j toolJob) error {
	w := world.New(j.size)
	figures := map[string]float64{}
	n := 0
	for _, synchronous := range []string{"NORMAL", "FULL"} {
		db, err := store.Open(j.file, synchronous)
		if err != nil {
			return err
		}
		for _, group := range []int{1, 64, 1000} {
			start, done := time.Now(), 0
			for time.Since(start) < j.run {
				likes := make([]store.Like, group)
				for i := range likes {
					p := n % w.Posts
					likes[i] = store.Like{Post: world.PostID(p), User: world.UserID(w.NonLikerOf(p, n/w.Posts))}
					n++
				}
				if err := db.WriteLikes(likes); err != nil {
					return err
				}
				done += group
			}
			figures[fmt.Sprintf("raw %s, %d in a transaction", synchronous, group)] = float64(done) / time.Since(start).Seconds()
		}
		if err := db.Close(); err != nil {
			return err
		}
	}
	return printJSON(figures)
}
