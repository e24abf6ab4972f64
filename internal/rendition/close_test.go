package rendition

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
)

// slowStorage is an app whose storage opens when it is told to.
type slowStorage struct {
	core.App
	goOn  chan struct{}
	asked int
}

func (s *slowStorage) NewFilesystem() (*filesystem.System, error) {
	s.asked++
	<-s.goOn
	return nil, errors.New("no storage")
}

// What is rendered outlives who asked for it, but not the studio.
func TestCloseWaitsForWhatIsRendered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := &slowStorage{goOn: make(chan struct{})}
		s := NewStudio(app)
		gone, leave := context.WithCancel(t.Context())
		leave()
		record := core.NewRecord(core.NewBaseCollection("posts"))
		if _, err := s.EnsureRendered(gone, record, "a.jpg"); !errors.Is(err, context.Canceled) {
			t.Errorf("who left is answered %v", err)
		}
		closed := make(chan struct{})
		go func() {
			s.Close(t.Context())
			close(closed)
		}()
		synctest.Wait()
		select {
		case <-closed:
			t.Error("it is closed while a photo is rendered")
		default:
		}
		close(app.goOn)
		<-closed
		if _, err := s.EnsureRendered(t.Context(), record, "b.jpg"); !errors.Is(err, context.Canceled) || app.asked != 1 {
			t.Errorf("once it is closed: %v, and %d photos were begun", err, app.asked)
		}
	})
}
