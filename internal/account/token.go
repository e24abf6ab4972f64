package account

import (
	"fmt"
	"maps"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/security"
	"github.com/spf13/cast"
)

// SignInClaim is the claim of a token that says when its user signed in, in Unix seconds; the name is that of OpenID
// Connect.
const SignInClaim = "auth_time"

// AddClaims returns the user's token with more claims. All others stay, and it ends when the token does, unless the
// claims say that it ends before. secret is that of the collection for tokens of its kind.
func AddClaims(user *core.Record, token, secret string, more jwt.MapClaims) (string, error) {
	claims, err := security.ParseUnverifiedJWT(token)
	if err != nil {
		return "", fmt.Errorf("read a token of %s: %w", user.Id, err)
	}
	all := jwt.MapClaims{}
	maps.Copy(all, claims)
	maps.Copy(all, more)
	all["exp"] = cast.ToInt64(claims["exp"])
	if sooner, set := more["exp"]; set {
		all["exp"] = min(cast.ToInt64(claims["exp"]), cast.ToInt64(sooner))
	}
	token, err = security.NewJWT(all, user.TokenKey()+secret, 0)
	if err != nil {
		return "", fmt.Errorf("sign a token of %s: %w", user.Id, err)
	}
	return token, nil
}

// StampToken returns the user's token with the time at which they signed in added.
func StampToken(user *core.Record, token string, at time.Time) (string, error) {
	return AddClaims(user, token, user.Collection().AuthToken.Secret, jwt.MapClaims{SignInClaim: at.Unix()})
}
