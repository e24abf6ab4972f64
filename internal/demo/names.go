package demo

// The words of a made-up world. A first name, a last name and a number make a handle that account.FindFreeHandle does
// not change.
var (
	firstNames = []string{
		"Mia", "Noor", "Kenji", "Lola", "Emil", "Amara", "Diego", "Freya", "Ravi", "Ines", "Tomas", "Zoe", "Malik", "Hana", "Oscar",
		"Leila", "Bruno", "Sana", "Viktor", "Yara", "Jonas", "Priya", "Mateo", "Elif", "Nils", "Chidi", "Greta", "Samir", "Aiko", "Paula",
	}
	lastNames = []string{
		"Torres", "Kim", "Berg", "Okafor", "Silva", "Novak", "Haddad", "Sato", "Lund", "Rossi", "Mensah", "Ali", "Frank", "Costa", "Park",
		"Dubois", "Khan", "Moreau", "Ito", "Jensen", "Weber", "Ortiz", "Bose", "Keller", "Osei", "Vega",
	}
	bios = []string{
		"I wait for the light.", "Film when I can, phone when I must.", "Mostly hills, sometimes soup.", "Learning to look.",
		"Early trains and long walks.", "Photos of nothing much.", "Two cats, one camera.", "Here for the sunsets.", "", "",
	}
	places = []struct {
		name     string
		lat, lon float64
	}{
		{"Lisbon", 38.7223, -9.1393}, {"Reykjavik", 64.1466, -21.9426}, {"Kyoto", 35.0116, 135.7681}, {"Cape Town", -33.9249, 18.4241},
		{"Oaxaca", 17.0732, -96.7266}, {"Tromsø", 69.6492, 18.9553}, {"Marrakesh", 31.6295, -7.9811}, {"Hanoi", 21.0278, 105.8342},
		{"Vancouver", 49.2827, -123.1207}, {"Ljubljana", 46.0569, 14.5058}, {"Valparaíso", -33.0472, -71.6127}, {"Isle of Skye", 57.2736, -6.2155},
	}
	remarks = []string{
		"That light!", "Where is this?", "I can almost hear it.", "Framing this one, if you let me.", "So calm.", "Wow.", "You have been busy.",
		"Take me along next time.", "The colours are unreal.", "I was there last year and it rained.", "Saving this for a grey day.",
		"How early did you get up?", "This belongs on a wall.", "Best one yet.", "Jealous, in a friendly way.", "No filter? Really?",
		"What a place.", "I keep coming back to this one.", "Good eye.", "Love the quiet in it.",
	}
	replies = []string{
		"Thank you!", "Just around the corner, really.", "Next time, promise.", "Four in the morning. Never again.", "Ha, I wish.",
		"It was even better without the phone.", "Send me a message, I will show you.", "You should go.", "Same here.", "Agreed!",
	}
)
