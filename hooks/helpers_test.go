package hooks_test

import (
	"net/url"
	"os"
	"testing"

	"doubletap/hooks/hookstest"
)

func TestMain(m *testing.M) {
	if os.Getenv(programDir) != "" {
		program()
		return
	}
	code := m.Run()
	hookstest.Cleanup()
	os.Exit(code)
}

// unlike takes somebody's like of a post back.
func unlike(s *hookstest.Service, name, post string) {
	c := s.As(name)
	for _, like := range c.List("likes", "filter="+escape("post='"+post+"' && user='"+c.ID+"'")) {
		c.Delete("likes", like["id"].(string))
	}
}

func escape(s string) string { return url.QueryEscape(s) }
