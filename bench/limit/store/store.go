// Package store writes likes into PocketBase's tables as fast as SQLite can: with prepared statements and many likes
// in a transaction. It checks nothing, so it shows a limit and is no product.
package store

import (
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"time"

	_ "modernc.org/sqlite" // the driver that PocketBase uses
)

// Like is a like to write. WriteLikes sets ID and Created.
type Like struct {
	Post, User  string
	ID, Created string
}

// DB is an open database with one writer.
type DB struct {
	db                     *sql.DB
	like, author, notified *sql.Stmt
}

// Open opens the careful subject's database, with PocketBase's pragmas, except synchronous.
func Open(file, synchronous string) (*DB, error) {
	db, err := sql.Open("sqlite", file+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=journal_size_limit(200000000)"+
		"&_pragma=synchronous("+synchronous+")&_pragma=foreign_keys(ON)&_pragma=temp_store(MEMORY)&_pragma=cache_size(-32000)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	d := &DB{db: db}
	for statement, text := range map[**sql.Stmt]string{
		&d.like:     `INSERT INTO likes (id, post, user, created, updated) VALUES (?, ?, ?, ?4, ?4)`,
		&d.author:   `SELECT author FROM posts WHERE id = ?`,
		&d.notified: `INSERT INTO notifications (id, recipient, actor, post, type, created, updated) VALUES (?, ?, ?, ?, 'like', ?5, ?5)`,
	} {
		if *statement, err = db.Prepare(text); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	return d, nil
}

// WriteLikes stores the likes and their notifications in one transaction; a trigger counts the likes in the posts. It
// sets ID and Created of each like.
func (d *DB) WriteLikes(likes []Like) error {
	tx, err := d.db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after the commit
	like, author, notified := tx.Stmt(d.like), tx.Stmt(d.author), tx.Stmt(d.notified)
	now := time.Now().UTC().Format("2006-01-02 15:04:05.000Z")
	for i := range likes {
		l := &likes[i]
		l.ID, l.Created = newRandomID(), now
		if _, err := like.Exec(l.ID, l.Post, l.User, now); err != nil {
			return fmt.Errorf("like of %s by %s: %w", l.Post, l.User, err)
		}
		var owner string
		if err := author.QueryRow(l.Post).Scan(&owner); err != nil {
			return err
		}
		if _, err := notified.Exec(newRandomID(), owner, l.User, l.Post, now); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// Close closes the database.
func (d *DB) Close() error { return d.db.Close() }

func newRandomID() string {
	var bytes [15]byte
	_, _ = rand.Read(bytes[:]) // never fails
	for i, b := range bytes {
		bytes[i] = "0123456789abcdefghijklmnopqrstuv"[b&31]
	}
	return string(bytes[:])
}
