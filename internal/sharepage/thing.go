package sharepage

import "strings"

// Thing is what a page shows, in the vocabulary of schema.org.
type Thing struct {
	Context     string             `json:"@context,omitempty"`
	Type        string             `json:"@type"`
	URL         string             `json:"url,omitempty"`
	Name        string             `json:"name,omitempty"`
	Alternate   string             `json:"alternateName,omitempty"`
	Headline    string             `json:"headline,omitempty"`
	Description string             `json:"description,omitempty"`
	Text        string             `json:"articleBody,omitempty"`
	Published   string             `json:"datePublished,omitempty"`
	Image       string             `json:"image,omitempty"`
	Author      *Thing             `json:"author,omitempty"`
	Main        *Thing             `json:"mainEntity,omitempty"`
	Counts      []InteractionCount `json:"interactionStatistic,omitempty"`
}

// InteractionCount says how often people did something to a Thing.
type InteractionCount struct {
	Type   string `json:"@type"`
	Action string `json:"interactionType"`
	Times  int    `json:"userInteractionCount"`
}

// describeThing sets the page's Thing. The page's title and description must be set before.
func (p *Page) describeThing() {
	switch p.Kind {
	case KindPost:
		p.Thing = &Thing{Type: "SocialMediaPosting", Headline: p.Title, Text: p.Record.GetString("caption"), Published: p.Time, Image: p.Image, Author: p.personThing(),
			Counts: []InteractionCount{newCount("LikeAction", p.Record.GetInt("likesCount")), newCount("CommentAction", p.Record.GetInt("commentsCount"))}}
	case KindUser:
		somebody := p.personThing()
		somebody.Description, somebody.Image = p.Description, p.Image
		somebody.Counts = []InteractionCount{newCount("FollowAction", p.Record.GetInt("followersCount"))}
		p.Thing = &Thing{Type: "ProfilePage", Name: p.Title, Main: somebody}
	case KindTag:
		p.Thing = &Thing{Type: "CollectionPage", Name: p.Title, Description: p.Description, Image: p.Image}
	default:
		return
	}
	p.Thing.Context, p.Thing.URL = "https://schema.org", p.URL
}

func (p *Page) personThing() *Thing {
	t := &Thing{Type: "Person", Name: p.Author.Name}
	if p.Author.Handle != "" {
		t.Alternate = "@" + p.Author.Handle
		t.URL = p.serviceOrigin() + p.Author.Path
	}
	return t
}

// serviceOrigin returns the address of the service, taken from that of the page.
func (p *Page) serviceOrigin() string {
	for _, path := range []string{"/p/", "/@", "/tags/"} {
		if at := strings.LastIndex(p.URL, path); at > 0 {
			return p.URL[:at]
		}
	}
	return ""
}

func newCount(action string, times int) InteractionCount {
	return InteractionCount{Type: "InteractionCounter", Action: "https://schema.org/" + action, Times: times}
}
