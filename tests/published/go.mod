module published

go 1.27

// writes module archives as the go command does
require golang.org/x/mod v0.42.0
