package rendition

import (
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/photo"
)

// CacheableURLs returns the paths under which shared caches may hold the photos of record.
func CacheableURLs(record *core.Record) []string {
	var all []string
	for _, file := range record.GetStringSlice(PhotoFields[record.Collection().Name]) {
		path := "/api/files/" + record.Collection().Id + "/" + record.Id + "/" + file
		named := "/api/files/" + record.Collection().Name + "/" + record.Id + "/" + file
		all = append(all, path, named)
		for _, size := range photo.Sizes {
			all = append(all, path+"?thumb="+size.ThumbName(), named+"?thumb="+size.ThumbName())
		}
	}
	return all
}
