package world

const idLetters = "0123456789abcdefghijklmnopqrstuv"

// Kind is a kind of row. It is part of what an id is computed from, so that ids of different kinds differ.
type Kind byte

// The kinds of rows.
const (
	User Kind = iota + 1
	Post
	Follow
	Like
	Notification
	Event
	Setting
)

// RowID returns the id of the nth row of a kind. It looks as random as PocketBase's ids, since ids in ascending order
// would make an index grow differently.
func RowID(kind Kind, n int) string {
	var text [15]byte
	bits := scramble(uint64(kind)<<56 | uint64(n))
	for i := range text {
		if i == 8 {
			bits = scramble(bits ^ uint64(n))
		}
		text[i] = idLetters[bits>>(i%8*5)&31]
	}
	return string(text[:])
}

// scramble is splitmix64.
func scramble(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// UserID returns the id of the nth user, where the crowd's numbers follow the users'.
func UserID(n int) string { return RowID(User, n) }

// PostID returns the id of the nth post.
func PostID(n int) string { return RowID(Post, n) }
