package demo

import (
	"cmp"
	"math/rand/v2"
	"strings"
	"time"
)

// The demo's world: who its people are, whom they follow, and what they post and say.
var (
	castMembers = []castMember{
		{handle: "ada", name: "Ada Lund", bio: "Mountains before breakfast, coffee after."},
		{handle: "bob", name: "Bob Okafor", bio: "Streets, rain, repeat. Ask to follow.", private: true},
		{handle: "mia", name: "Mia Torres", bio: "Mostly the sea."},
		{handle: "noor", name: "Noor Haddad", bio: "I wait for the dark."},
		{handle: "kenji", name: "Kenji Sato", bio: "Learning to look."},
		{handle: "lola", name: "Lola Silva", bio: "Two cats, one camera."},
	}
	// lola asks bob last, and he has not answered yet
	castFollows = []struct{ who, whom string }{
		{"bob", "ada mia lola"}, {"mia", "ada bob kenji"}, {"noor", "ada bob mia kenji lola"}, {"kenji", "ada mia"},
		{"ada", "bob mia kenji noor"}, {"lola", "ada mia noor bob"},
	}
	// ada's newest photo is left for bob to like: the README begins with that
	castPosts = []struct {
		who        string
		ago        float64 // hours
		scene      int
		photos     int
		caption    string
		place      string
		visibility string
		likes      string
		said       []string // "who words"; a reply begins with >
	}{
		{"ada", 112, motifMountains, 1, "First ridge, first light #mountains #hiking", "Isle of Skye", "", "bob mia noor kenji lola", []string{"mia That light!", "> ada Five in the morning. Worth it.", "> mia You are mad. I love it."}},
		{"bob", 98, motifTown, 1, "Home, from the roof #bluehour", "", "", "ada mia noor", []string{"ada Which roof is this?", "> bob Ours. Come up on Friday."}},
		{"mia", 90, motifSea, 1, "Nobody wanted to leave #sea #sunset", "Lisbon", "", "ada bob kenji noor", []string{"kenji I can almost hear it."}},
		{"noor", 80, motifNight, 1, "Waited three nights for this #aurora", "Tromsø", "", "ada lola mia", []string{"ada @mia we have to go there", "> mia Packing already."}},
		{"ada", 74, motifNight, 1, "Could not feel my toes, did not care #stars", "Reykjavik", "", "noor bob mia", []string{"noor Next time you call me."}},
		{"kenji", 66, motifWoods, 3, "Lost the path, found this #forest #mist", "Kyoto", "", "ada mia noor", []string{"ada All three could hang on my wall.", "> kenji Pick one, I will print it."}},
		{"lola", 60, motifFields, 1, "Picnic weather at last #spring", "", "", "noor bob", nil},
		{"bob", 52, motifBokeh, 1, "Rain on the window, music on #35mm", "", "", "ada noor mia", []string{"mia Needs a soundtrack."}},
		{"mia", 40, motifFields, 2, "Took the long way round with @ada #countryside", "Ljubljana", "", "ada lola kenji", []string{"ada My shoes are still wet."}},
		{"ada", 30, motifWoods, 1, "It smells as good as it looks #forest #earlybird", "Vancouver", "", "kenji bob mia lola noor", []string{"lola Where is this?", "> ada Half an hour from town, believe it or not.", "kenji The quiet in it."}},
		{"noor", 26, motifMountains, 1, "Only for you who follow me #mountains", "", "followers", "ada lola", nil},
		{"kenji", 20, motifFields, 1, "Spring finally means it #flowers", "Kyoto", "", "ada noor", nil},
		{"lola", 16, motifSea, 1, "Just me and the gulls #sea", "Valparaíso", "", "bob noor", []string{"noor So calm."}},
		{"mia", 12, motifBokeh, 1, "Saturday, slightly out of focus #bokeh", "", "", "ada", nil},
		{"bob", 9, motifTown, 1, "Eight million people and so quiet #city", "Hanoi", "", "ada mia", []string{"ada Is that the new tower? @bob"}},
		{"ada", 5, motifSea, 2, "Salt in the hair, sand in the shoes #sunset #slowdays", "Cape Town", "", "mia kenji lola noor", []string{"bob Jealous, in a friendly way.", "mia The second one!!", "lola Take me along next time."}},
		{"kenji", 3, motifMountains, 1, "The last ridge of the day #goldenhour", "", "", "ada mia", nil},
	}
)

// castStories are the cast's stories, and who has seen them.
var castStories = []struct {
	who        string
	ago        float64 // hours
	scene      int
	visibility string
	seen       string
}{
	{"mia", 7, motifSea, "", "ada noor"},
	{"ada", 4, motifWoods, "", "bob mia lola"},
	{"noor", 2.5, motifNight, "followers", "lola"},
	{"ada", 1, motifBokeh, "", "mia"},
}

// demoCast is the demo with everybody's id. The ids are the same in every folder.
type demoCast struct {
	*world
	people map[string]castMember
}

func newDemoCast() *demoCast {
	d := &demoCast{world: &world{rng: rand.New(rand.NewPCG(2026, 11))}, people: map[string]castMember{}} // #nosec G404 -- painted from a seed, alike each time
	for i, p := range castMembers {
		p.id, p.avatarSeed = d.newRecordID(), d.rng.Uint64()&^0xffffff|uint64(i)*0x010101 // no two avatars are alike
		d.people[p.handle] = p
	}
	return d
}

// buildTimeline returns the demo as actions to be stored, over the last five days.
func (d *demoCast) buildTimeline(hash string) *timeline {
	t := &timeline{span: 120 * time.Hour}
	ago := func(hours float64) float64 { return 1 - hours/t.span.Hours() }
	for i, p := range castMembers {
		t.addSignUp(ago(120-float64(i)/10), d.people[p.handle], hash)
	}
	for i, f := range castFollows {
		for j, whom := range strings.Fields(f.whom) {
			a, b, hours := d.people[f.who], d.people[whom], 118-float64(i)/2-float64(j)/20
			if f.who == "lola" && b.private {
				t.addFollow(ago(2), a.id, b.id)
				continue
			}
			t.addFollow(ago(hours), a.id, b.id)
			if b.private {
				t.addFollowAcceptance(ago(hours-0.4), a.id, b.id)
			}
		}
	}
	for _, p := range castPosts {
		post := postContent{id: d.newRecordID(), author: d.people[p.who].id, caption: p.caption, visibility: cmp.Or(p.visibility, "public"), place: p.place}
		for _, place := range places {
			if place.name == p.place {
				post.lat, post.lon = place.lat, place.lon
			}
		}
		for range p.photos {
			post.photos = append(post.photos, paintedPhoto{scene: photoMotifs[p.scene], seed: d.rng.Uint64()})
		}
		t.addPost(ago(p.ago), post)
		likes := strings.Fields(p.likes)
		for i, who := range likes {
			t.addLike(ago(p.ago*(1-0.6*float64(i+1)/float64(len(likes)))), d.people[who].id, post.id)
		}
		root := ""
		for i, said := range p.said {
			reply := strings.HasPrefix(said, "> ")
			who, words, _ := strings.Cut(strings.TrimPrefix(said, "> "), " ")
			id, at := d.newRecordID(), ago(p.ago*(0.9-0.2*float64(i)))
			if reply {
				t.addComment(at, id, d.people[who].id, post.id, root, words)
				continue
			}
			t.addComment(at, id, d.people[who].id, post.id, "", words)
			t.addCommentLike(at+0.001, post.author, id)
			root = id
		}
	}
	for _, p := range castStories {
		id, shown := d.newRecordID(), paintedPhoto{scene: photoMotifs[p.scene], seed: d.rng.Uint64()}
		t.addStory(ago(p.ago), id, d.people[p.who].id, cmp.Or(p.visibility, "public"), shown)
		for i, who := range strings.Fields(p.seen) {
			t.addStoryView(ago(p.ago*(0.8-0.2*float64(i))), d.people[who].id, id)
		}
	}
	return t
}
