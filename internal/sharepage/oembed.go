package sharepage

import (
	"net/url"
	"slices"
	"strings"

	"github.com/doubletap/doubletap/internal/photo"
)

// OEmbed is a post as pages of others show it (oembed.com): a photo, or a link until the photo's size is known.
type OEmbed struct {
	Version     string `json:"version"`
	Type        string `json:"type" one:"photo link"`
	Title       string `json:"title"`
	Author      string `json:"author_name"`
	AuthorURL   string `json:"author_url"`
	Provider    string `json:"provider_name"`
	ProviderURL string `json:"provider_url"`
	URL         string `json:"url,omitempty"`
	Width       int    `json:"width,omitempty"`
	Height      int    `json:"height,omitempty"`
}

// PostInURL returns the id of the post whose page an address of this service is, or empty.
func PostInURL(base, address string) string {
	id, ours := strings.CutPrefix(address, base+"/p/")
	if id, _, _ = strings.Cut(id, "?"); !ours || strings.Contains(id, "/") {
		return ""
	}
	return id
}

// OEmbed returns the address at which the page's post is described for others.
func (p *Page) OEmbed() string { return p.serviceOrigin() + "/oembed?url=" + url.QueryEscape(p.URL) }

// Embed returns the page's post for pages of others, with a photo that is at most so wide and high; 0 is any size.
func (p *Page) Embed(maxWidth, maxHeight int) OEmbed {
	origin := p.serviceOrigin()
	o := OEmbed{Version: "1.0", Type: "link", Title: p.Title, Author: p.Author.Name, AuthorURL: origin + p.Author.Path, Provider: p.Site, ProviderURL: origin + "/"}
	cover := p.Cover()
	if cover == nil || cover.Width == 0 {
		return o
	}
	whole := slices.DeleteFunc(slices.Clone(photo.Sizes), func(s photo.Size) bool { return s.Crop || s.Side > photo.Large.Side })
	for _, size := range whole {
		w, h := fitWithin(p.Photos[0].Width, p.Photos[0].Height, size.Side)
		if (maxWidth == 0 || w <= maxWidth) && (maxHeight == 0 || h <= maxHeight) {
			o.Type, o.URL, o.Width, o.Height = "photo", strings.Replace(p.Image, photo.Large.ThumbName(), size.ThumbName(), 1), w, h
			break
		}
	}
	return o
}
