package hooks

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"

	"github.com/doubletap/doubletap/internal/deliver/outbound"
)

// fetchAvatar downloads the picture that somebody has at an OAuth2 provider before the sign-up: PocketBase would wait
// for it, up to 10 seconds, in the transaction. A person whose picture cannot be downloaded, or is one that we do not
// take, signs up without it.
func (s *Social) fetchAvatar(e *core.RecordAuthWithOAuth2RequestEvent) error {
	name := e.Collection.OAuth2.MappedFields.AvatarURL
	field, ok := e.Collection.Fields.GetByName(name).(*core.FileField)
	if _, given := e.CreateData[name]; !ok || given || e.Record != nil || e.OAuth2User.AvatarURL == "" {
		return e.Next()
	}
	if e.CreateData == nil {
		e.CreateData = map[string]any{}
	}
	file, err := downloadFile(e.Request.Context(), e.OAuth2User.AvatarURL, field.CalculateMaxBodySize())
	if err == nil {
		err = s.validateFile(e.RequestEvent, e.Collection, field, file)
	}
	if err != nil {
		e.App.Logger().Warn("fetch the avatar of an OAuth2 sign-up", "provider", e.ProviderName, "err", err)
		e.CreateData[name] = ""
	} else {
		e.CreateData[name] = file
	}
	return e.Next()
}

// validateFile returns why a record of the collection could not have the file, or nil.
func (s *Social) validateFile(e *core.RequestEvent, collection *core.Collection, field *core.FileField, file *filesystem.File) error {
	record := core.NewRecord(collection)
	record.Set(field.Name, file)
	release, err := s.studio.AdmitUploads(e.Request.Context(), e.App, record)
	if err != nil {
		return err
	}
	defer release()
	return field.ValidateValue(e.Request.Context(), e.App, record)
}

// downloadFile downloads a file of at most maxBytes bytes from a public address.
func downloadFile(ctx context.Context, address string, maxBytes int64) (*filesystem.File, error) {
	outside := outbound.New(os.Getenv("DOUBLETAP_LOOPBACK") == "on")
	outside.MaxBytes, outside.Timeout = maxBytes, 10*time.Second
	client := outside.HTTPClient()
	client.CheckRedirect = nil // providers redirect to where they store pictures; each redirect is checked
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", response.StatusCode)
	}
	content := make([]byte, response.ContentLength) // set by outbound, which has read the whole body
	if _, err := io.ReadFull(response.Body, content); err != nil {
		return nil, err
	}
	return filesystem.NewFileFromBytes(content, path.Base(response.Request.URL.Path))
}
