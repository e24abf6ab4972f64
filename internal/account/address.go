package account

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"doubletap/internal/db"
	"doubletap/internal/fault"
)

// FoldAddress returns the one spelling in which an e-mail address is stored and looked up: lower case, and the domain as it
// goes on the wire. A part before the @ that differs in case alone is another mailbox by the letter of RFC 5321, and at no
// provider that people use. No other letter becomes an ASCII one, as K (U+212A) would: it is somebody else's mailbox.
func FoldAddress(address string) string {
	address = WireAddress(strings.TrimSpace(address))
	at := strings.LastIndex(address, "@")
	if at < 0 {
		return address
	}
	local := strings.Map(foldLetter, address[:at])
	if !strings.ContainsAny(local, composedToASCII) {
		local = norm.NFC.String(local)
	}
	return local + strings.ToLower(address[at:])
}

// composedToASCII are the characters of which NFC makes ASCII ones.
const composedToASCII = "\u212a\u037e\u1fef"

func foldLetter(letter rune) rune {
	if lower := unicode.ToLower(letter); lower >= utf8.RuneSelf || letter < utf8.RuneSelf {
		return lower
	}
	return letter
}

// WireAddress returns the address with its domain in ASCII, münchen.example as xn--mnchen-3ya.example, which is what mail
// servers speak. A domain that is none stays as it is, for the validation to refuse.
func WireAddress(address string) string {
	at := strings.LastIndex(address, "@")
	if at < 0 {
		return address
	}
	domain, err := idna.Lookup.ToASCII(strings.TrimSuffix(address[at+1:], ".")) // the root may be written or not
	if err != nil {
		return address
	}
	return address[:at+1] + domain
}

// sameAddress is the condition of users whose address is the parameter folded; typed finds those that could not be folded, see
// FoldAddresses.
const sameAddress = "email != '' AND (email = {:folded} COLLATE NOCASE OR email = {:typed} COLLATE NOCASE)"

// FindByAddress returns the user who has the e-mail address in any spelling, or sql.ErrNoRows. Of accounts that share an address
// from before addresses were folded it is the one in this spelling, else one that is verified.
func FindByAddress(app core.App, address string) (*core.Record, error) {
	user, params := &core.Record{}, dbx.Params{"folded": FoldAddress(address), "typed": address}
	err := app.RecordQuery("users").AndWhere(dbx.NewExp(sameAddress, params)).
		OrderBy("(email = {:typed}) DESC", "verified DESC", "id").Limit(1).One(user)
	if err != nil {
		return nil, err
	}
	return user, nil
}

// CheckAddress refuses an address that somebody else has in another spelling, as the unique index does. Where accounts from
// before share an address there is no such index yet, and nobody shall join them.
func CheckAddress(tx core.App, user *core.Record) error {
	if user.Email() == "" {
		return nil
	}
	var one int
	taken, err := db.QueryValue(tx, &one, "SELECT 1 FROM users WHERE id != {:id} AND "+sameAddress,
		db.Params{"id": user.Id, "folded": FoldAddress(user.Email()), "typed": user.Email()})
	if err == nil && taken {
		return fault.InvalidField(core.FieldNameEmail, "validation_not_unique", "Value must be unique.")
	}
	return err
}
