package main

import (
	"database/sql"
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/bench/seed"
	"github.com/doubletap/doubletap/bench/world"
)

func seedFolder(j toolJob) error {
	if j.kind == "doubletap" {
		return seed.Doubletap(j.file, world.New(j.size))
	}
	return seed.PocketBase(j.file, world.New(j.size))
}

// printSchema prints everything that a seeded folder depends on except the size: tables, rules, and how they are
// filled.
func printSchema(j toolJob) error {
	db, err := openReadOnly(j.file)
	if err != nil {
		return err
	}
	defer db.Close()
	fmt.Println(seed.Version)
	rows, err := db.Query(`SELECT name || coalesce(sql, '') FROM sqlite_master
		UNION ALL SELECT name || fields || indexes || coalesce(listRule, '-') || coalesce(viewRule, '-') || coalesce(createRule, '-') || coalesce(updateRule, '-') || coalesce(deleteRule, '-')
			|| coalesce(options ->> 'authRule', '') FROM _collections
		UNION ALL SELECT file FROM _migrations ORDER BY 1`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return err
		}
		fmt.Println(line)
	}
	return rows.Err()
}

// openReadOnly opens a database for reading while another process may write to it.
func openReadOnly(file string) (*sql.DB, error) {
	return sql.Open("sqlite", "file:"+file+"?mode=ro&_pragma=busy_timeout(10000)")
}

// printTokens prints a fresh token for every user, by id, as JSON. PocketBase itself makes them, so that no case
// measures a login.
func printTokens(j toolJob) error {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: j.dir})
	if err := app.Bootstrap(); err != nil {
		return err
	}
	defer app.ClearBootstrap()
	users, err := app.FindAllRecords("users")
	if err != nil {
		return err
	}
	if want := j.size.Users + j.size.Crowd; len(users) != want {
		return fmt.Errorf("%s has %d users, want %d", j.dir, len(users), want)
	}
	made := make(map[string]string, len(users))
	for _, user := range users {
		if made[user.Id], err = user.NewAuthToken(); err != nil {
			return err
		}
	}
	return printJSON(made)
}
