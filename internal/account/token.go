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

// StampToken returns the user's token with the time at which they signed in added. All its other claims stay.
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
