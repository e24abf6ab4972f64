package account

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/fault"
)

// FoldAddress returns the one spelling in which an e-mail address is stored and looked up: in lower case, and with its
// domain as mail servers write it. By RFC 5321 two addresses whose parts before the @ differ in case are two mailboxes,
// but at no provider that people use. A letter that is not ASCII never becomes an ASCII one, although lower case makes
// K (U+212A) a k: that would be somebody else's mailbox.
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

// composedToASCII are the characters that NFC turns into ASCII characters.
const composedToASCII = "\u212a\u037e\u1fef"

func foldLetter(letter rune) rune {
	if lower := unicode.ToLower(letter); lower >= utf8.RuneSelf || letter < utf8.RuneSelf {
		return lower
	}
	return letter
}

// WireAddress returns the address with its domain in ASCII, as mail servers need it: münchen.example becomes
// xn--mnchen-3ya.example. A domain that is not valid stays as it is, for the validation to refuse.
func WireAddress(address string) string {
	at := strings.LastIndex(address, "@")
	if at < 0 {
		return address
	}
	domain, err := idna.Lookup.ToASCII(strings.TrimSuffix(address[at+1:], ".")) // the dot of the root may be written or not
	if err != nil {
		return address
	}
	return address[:at+1] + domain
}

// sameAddress is the SQL condition of users whose address is the parameter folded. The parameter typed finds addresses
// that could not be folded, see FoldAddresses.
const sameAddress = "email != '' AND (email = {:folded} COLLATE NOCASE OR email = {:typed} COLLATE NOCASE)"

// FindByAddress returns the user who has the e-mail address in any spelling, or sql.ErrNoRows. If several older
// accounts share the address, it returns the one with exactly this spelling, otherwise one that is verified.
func FindByAddress(app core.App, address string) (*core.Record, error) {
	user, params := &core.Record{}, dbx.Params{"folded": FoldAddress(address), "typed": address}
	err := app.RecordQuery("users").AndWhere(dbx.NewExp(sameAddress, params)).
		OrderBy("(email = {:typed}) DESC", "verified DESC", "id").Limit(1).One(user)
	if err != nil {
		return nil, err
	}
	return user, nil
}

// CheckAddress refuses an address that somebody else has in another spelling, as the unique index does. As long as
// older accounts share an address there is no such index, and nobody else may take that address.
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
