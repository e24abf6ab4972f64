package page

import "strings"

// Thing is what a page shows in the words of schema.org.
type Thing struct {
	Context     string  `json:"@context,omitempty"`
	Type        string  `json:"@type"`
	URL         string  `json:"url,omitempty"`
	Name        string  `json:"name,omitempty"`
	Alternate   string  `json:"alternateName,omitempty"`
	Headline    string  `json:"headline,omitempty"`
	Description string  `json:"description,omitempty"`
	Text        string  `json:"articleBody,omitempty"`
	Published   string  `json:"datePublished,omitempty"`
	Image       string  `json:"image,omitempty"`
	Author      *Thing  `json:"author,omitempty"`
	Main        *Thing  `json:"mainEntity,omitempty"`
	Counts      []Count `json:"interactionStatistic,omitempty"`
}

// Count is how often something was done to a Thing.
type Count struct {
	Type   string `json:"@type"`
	Action string `json:"interactionType"`
	Times  int    `json:"userInteractionCount"`
}

// describe sets the Thing of the page, as its title and description are by now.
func (p *Page) describe() {
	switch p.Kind {
	case Post:
		p.Thing = &Thing{Type: "SocialMediaPosting", Headline: p.Title, Text: p.Record.GetString("caption"), Published: p.Time, Image: p.Image, Author: p.somebody(),
			Counts: []Count{count("LikeAction", p.Record.GetInt("likesCount")), count("CommentAction", p.Record.GetInt("commentsCount"))}}
	case User:
		somebody := p.somebody()
		somebody.Description, somebody.Image = p.Description, p.Image
		somebody.Counts = []Count{count("FollowAction", p.Record.GetInt("followersCount"))}
		p.Thing = &Thing{Type: "ProfilePage", Name: p.Title, Main: somebody}
	case Tag:
		p.Thing = &Thing{Type: "CollectionPage", Name: p.Title, Description: p.Description, Image: p.Image}
	default:
		return
	}
	p.Thing.Context, p.Thing.URL = "https://schema.org", p.URL
}

func (p *Page) somebody() *Thing {
	t := &Thing{Type: "Person", Name: p.Author.Name}
	if p.Author.Handle != "" {
		t.Alternate = "@" + p.Author.Handle
		t.URL = p.origin() + p.Author.Path
	}
	return t
}

// origin is the address of the service, from that of the page.
func (p *Page) origin() string {
	for _, path := range []string{"/p/", "/@", "/tags/"} {
		if at := strings.LastIndex(p.URL, path); at > 0 {
			return p.URL[:at]
		}
	}
	return ""
}

func count(action string, times int) Count {
	return Count{Type: "InteractionCounter", Action: "https://schema.org/" + action, Times: times}
}
