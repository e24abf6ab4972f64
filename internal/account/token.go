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

// SignInClaim is where a token says when its user signed in, in seconds, by the name that OpenID Connect gave it.
const SignInClaim = "auth_time"

// StampToken returns a token of the user's that says when they signed in, and all else that it said.
func StampToken(user *core.Record, token string, at time.Time) (string, error) {
	claims, err := security.ParseUnverifiedJWT(token)
	if err != nil {
		return "", fmt.Errorf("read a token of %s: %w", user.Id, err)
	}
	stamped := jwt.MapClaims{}
	maps.Copy(stamped, claims)
	stamped["exp"] = cast.ToInt64(claims["exp"])
	stamped[SignInClaim] = at.Unix()
	token, err = security.NewJWT(stamped, user.TokenKey()+user.Collection().AuthToken.Secret, 0)
	if err != nil {
		return "", fmt.Errorf("sign a token of %s: %w", user.Id, err)
	}
	return token, nil
}
