package sharepage

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html"
	"time"
)

// rss is a page's posts for feed readers (RSS 2.0).
type rss struct {
	XMLName xml.Name   `xml:"rss"`
	Version string     `xml:"version,attr"`
	Channel rssChannel `xml:"channel"`
}

type rssChannel struct {
	Title       string    `xml:"title"`
	Link        string    `xml:"link"`
	Description string    `xml:"description"`
	Items       []rssItem `xml:"item"`
}

type rssItem struct {
	Title       string `xml:"title"`
	Link        string `xml:"link"`
	GUID        string `xml:"guid"`
	Published   string `xml:"pubDate"`
	Description string `xml:"description"` // HTML
}

// RSS returns the page's posts for feed readers.
func (p *Page) RSS() ([]byte, error) {
	feed := rss{Version: "2.0", Channel: rssChannel{Title: p.Title, Link: p.URL, Description: p.Description}}
	for _, post := range p.Posts {
		url := p.serviceOrigin() + post.Path
		feed.Channel.Items = append(feed.Channel.Items, rssItem{post.Label, url, url, post.Published.Format(time.RFC1123Z), p.feedHTML(post)})
	}
	text, err := xml.Marshal(feed)
	if err != nil {
		return nil, fmt.Errorf("write the feed of %s: %w", p.URL, err)
	}
	return append([]byte(xml.Header), text...), nil
}

// jsonFeed is the same as a JSON Feed 1.1.
type jsonFeed struct {
	Version     string         `json:"version"`
	Title       string         `json:"title"`
	Home        string         `json:"home_page_url"`
	URL         string         `json:"feed_url"`
	Description string         `json:"description"`
	Icon        string         `json:"icon"`
	Items       []jsonFeedItem `json:"items"`
}

type jsonFeedItem struct {
	ID        string `json:"id"`
	URL       string `json:"url"`
	Title     string `json:"title"`
	HTML      string `json:"content_html"`
	Image     string `json:"image"`
	Published string `json:"date_published"`
}

// JSONFeed returns the page's posts for feed readers.
func (p *Page) JSONFeed() ([]byte, error) {
	feed := jsonFeed{"https://jsonfeed.org/version/1.1", p.Title, p.URL, p.URL + "/feed.json", p.Description, p.Icon, []jsonFeedItem{}}
	for _, post := range p.Posts {
		url := p.serviceOrigin() + post.Path
		feed.Items = append(feed.Items, jsonFeedItem{url, url, post.Label, p.feedHTML(post), p.serviceOrigin() + post.Large, post.Published.Format(time.RFC3339)})
	}
	text, err := json.Marshal(feed)
	if err != nil {
		return nil, fmt.Errorf("write the feed of %s: %w", p.URL, err)
	}
	return text, nil
}

func (p *Page) feedHTML(post Tile) string {
	return fmt.Sprintf(`<p><img src="%s" alt="%s"></p><p>%s</p>`, html.EscapeString(p.serviceOrigin()+post.Large), html.EscapeString(post.Alt), html.EscapeString(post.Caption))
}
