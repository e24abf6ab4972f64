package command

import (
	"cmp"
	"math/rand/v2"
	"strings"
	"time"
)

// The demonstration's world: what its people are, whom they follow, and what they share and say.
var (
	cast = []person{
		{handle: "ada", name: "Ada Lund", bio: "Mountains before breakfast, coffee after."},
		{handle: "bob", name: "Bob Okafor", bio: "Streets, rain, repeat. Ask to follow.", private: true},
		{handle: "mia", name: "Mia Torres", bio: "Mostly the sea."},
		{handle: "noor", name: "Noor Haddad", bio: "I wait for the dark."},
		{handle: "kenji", name: "Kenji Sato", bio: "Learning to look."},
		{handle: "lola", name: "Lola Silva", bio: "Two cats, one camera."},
	}
	// lola asks bob last, and he has not answered.
	friends = []struct{ who, whom string }{
		{"bob", "ada mia lola"}, {"mia", "ada bob kenji"}, {"noor", "ada bob mia kenji lola"}, {"kenji", "ada mia"},
		{"ada", "bob mia kenji noor"}, {"lola", "ada mia noor bob"},
	}
	// The newest photo of ada is left for bob to like: with it the README begins.
	shared = []struct {
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
		{"ada", 112, inMountains, 1, "First ridge, first light #mountains #hiking", "Isle of Skye", "", "bob mia noor kenji lola", []string{"mia That light!", "> ada Five in the morning. Worth it.", "> mia You are mad. I love it."}},
		{"bob", 98, inTown, 1, "Home, from the roof #bluehour", "", "", "ada mia noor", []string{"ada Which roof is this?", "> bob Ours. Come up on Friday."}},
		{"mia", 90, atSea, 1, "Nobody wanted to leave #sea #sunset", "Lisbon", "", "ada bob kenji noor", []string{"kenji I can almost hear it."}},
		{"noor", 80, atNight, 1, "Waited three nights for this #aurora", "Tromsø", "", "ada lola mia", []string{"ada @mia we have to go there", "> mia Packing already."}},
		{"ada", 74, atNight, 1, "Could not feel my toes, did not care #stars", "Reykjavik", "", "noor bob mia", []string{"noor Next time you call me."}},
		{"kenji", 66, inWoods, 3, "Lost the path, found this #forest #mist", "Kyoto", "", "ada mia noor", []string{"ada All three could hang on my wall.", "> kenji Pick one, I will print it."}},
		{"lola", 60, inFields, 1, "Picnic weather at last #spring", "", "", "noor bob", nil},
		{"bob", 52, outOfFocus, 1, "Rain on the window, music on #35mm", "", "", "ada noor mia", []string{"mia Needs a soundtrack."}},
		{"mia", 40, inFields, 2, "Took the long way round with @ada #countryside", "Ljubljana", "", "ada lola kenji", []string{"ada My shoes are still wet."}},
		{"ada", 30, inWoods, 1, "It smells as good as it looks #forest #earlybird", "Vancouver", "", "kenji bob mia lola noor", []string{"lola Where is this?", "> ada Half an hour from town, believe it or not.", "kenji The quiet in it."}},
		{"noor", 26, inMountains, 1, "Only for you who follow me #mountains", "", "followers", "ada lola", nil},
		{"kenji", 20, inFields, 1, "Spring finally means it #flowers", "Kyoto", "", "ada noor", nil},
		{"lola", 16, atSea, 1, "Just me and the gulls #sea", "Valparaíso", "", "bob noor", []string{"noor So calm."}},
		{"mia", 12, outOfFocus, 1, "Saturday, slightly out of focus #bokeh", "", "", "ada", nil},
		{"bob", 9, inTown, 1, "Eight million people and so quiet #city", "Hanoi", "", "ada mia", []string{"ada Is that the new tower? @bob"}},
		{"ada", 5, atSea, 2, "Salt in the hair, sand in the shoes #sunset #slowdays", "Cape Town", "", "mia kenji lola noor", []string{"bob Jealous, in a friendly way.", "mia The second one!!", "lola Take me along next time."}},
		{"kenji", 3, inMountains, 1, "The last ridge of the day #goldenhour", "", "", "ada mia", nil},
	}
)

// daily is what they show for a day, and who has seen it.
var daily = []struct {
	who        string
	ago        float64 // hours
	scene      int
	visibility string
	seen       string
}{
	{"mia", 7, atSea, "", "ada noor"},
	{"ada", 4, inWoods, "", "bob mia lola"},
	{"noor", 2.5, atNight, "followers", "lola"},
	{"ada", 1, outOfFocus, "", "mia"},
}

// stage is the demonstration with everybody's id, the same ones wherever it is played.
type stage struct {
	*world
	people map[string]person
}

func newStage() *stage {
	s := &stage{world: &world{r: rand.New(rand.NewPCG(2026, 11))}, people: map[string]person{}} // #nosec G404 -- painted from a seed, alike each time
	for i, p := range cast {
		p.id, p.face = s.id(), s.r.Uint64()&^0xffffff|uint64(i)*0x010101 // no two alike
		s.people[p.handle] = p
	}
	return s
}

// story is the demonstration as steps to be stored: the last five days.
func (d *stage) story(hash string) *story {
	s := &story{span: 120 * time.Hour}
	ago := func(hours float64) float64 { return 1 - hours/s.span.Hours() }
	for i, p := range cast {
		s.signUp(ago(120-float64(i)/10), d.people[p.handle], hash)
	}
	for i, f := range friends {
		for j, whom := range strings.Fields(f.whom) {
			a, b, hours := d.people[f.who], d.people[whom], 118-float64(i)/2-float64(j)/20
			if f.who == "lola" && b.private {
				s.follow(ago(2), a.id, b.id)
				continue
			}
			s.follow(ago(hours), a.id, b.id)
			if b.private {
				s.accept(ago(hours-0.4), a.id, b.id)
			}
		}
	}
	for _, p := range shared {
		post := share{id: d.id(), author: d.people[p.who].id, caption: p.caption, visibility: cmp.Or(p.visibility, "public"), place: p.place}
		for _, place := range places {
			if place.name == p.place {
				post.lat, post.lon = place.lat, place.lon
			}
		}
		for range p.photos {
			post.photos = append(post.photos, photo{scene: scenes[p.scene], seed: d.r.Uint64()})
		}
		s.share(ago(p.ago), post)
		likes := strings.Fields(p.likes)
		for i, who := range likes {
			s.like(ago(p.ago*(1-0.6*float64(i+1)/float64(len(likes)))), d.people[who].id, post.id)
		}
		root := ""
		for i, said := range p.said {
			reply := strings.HasPrefix(said, "> ")
			who, words, _ := strings.Cut(strings.TrimPrefix(said, "> "), " ")
			id, at := d.id(), ago(p.ago*(0.9-0.2*float64(i)))
			if reply {
				s.comment(at, id, d.people[who].id, post.id, root, words)
				continue
			}
			s.comment(at, id, d.people[who].id, post.id, "", words)
			s.likeComment(at+0.001, post.author, id)
			root = id
		}
	}
	for _, p := range daily {
		id, shown := d.id(), photo{scene: scenes[p.scene], seed: d.r.Uint64()}
		s.show(ago(p.ago), id, d.people[p.who].id, cmp.Or(p.visibility, "public"), shown)
		for i, who := range strings.Fields(p.seen) {
			s.view(ago(p.ago*(0.8-0.2*float64(i))), d.people[who].id, id)
		}
	}
	return s
}
