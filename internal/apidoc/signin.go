package apidoc

import "github.com/pocketbase/pocketbase/core"

// addSignIn adds the routes by which people sign in and care for their account.
func (d *Document) addSignIn(c *core.Collection, name string) {
	add := func(action, id, summary string, security []map[string][]string, body *Schema, answer Response, errorStatuses ...int) *Operation {
		o := &Operation{ID: id + name, Tags: []string{c.Name}, Summary: summary, Security: security, Responses: map[string]Response{"200": answer}}
		if answer.Content == nil {
			o.Responses = map[string]Response{"204": answer}
		}
		if body != nil {
			o.Body = jsonBody(body)
		}
		o.addErrors(errorStatuses...)
		d.addOperation("POST", "/api/collections/"+c.Name+"/"+action, o)
		return o
	}
	signed := contentResponse("A token and whose it is.", jsonType, &Schema{Type: "object", Required: []string{"token", "record"}, Properties: map[string]*Schema{
		"token": {Type: "string"}, "record": schemaRef(name + "Record"),
	}})
	done := Response{Description: "Done."}
	requested := Response{Description: "Done. It is the same whether there is such an account."}
	d.addOperation("GET", "/api/collections/"+c.Name+"/auth-methods", authMethodsOperation(c, name))
	if c.PasswordAuth.Enabled {
		o := add("auth-with-password", "signIn", "Signs in.", anybody, textsSchema("identity", "password"), signed, 403)
		if c.MFA.Enabled {
			o.Responses["401"] = contentResponse("A second proof is needed.", jsonType, textsSchema("mfaId"))
		}
	}
	if c.OTP.Enabled {
		add("request-otp", "requestCode", "Mails a one-time code.", anybody, textsSchema("email"),
			contentResponse("The id of the code, whether there is such an account or not.", jsonType, textsSchema("otpId")))
		add("auth-with-otp", "signInByCode", "Signs in by a one-time code.", anybody, textsSchema("otpId", "password"), signed, 403)
	}
	if c.OAuth2.Enabled {
		body := textsSchema("provider", "code", "codeVerifier", "redirectURL")
		body.Properties["createData"] = &Schema{Type: "object", Description: "fields of the account, if it is new", Others: &Schema{}}
		add("auth-with-oauth2", "signInByProvider", "Signs in by a code of an OAuth2 provider.", anybody, body, signed, 403)
	}
	add("auth-refresh", "refresh", "A fresh token for one that is still good.", signedIn, nil, signed, 401, 403)
	add("request-password-reset", "requestPasswordReset", "Mails a link to set a new password.", anybody, textsSchema("email"), requested)
	add("confirm-password-reset", "confirmPasswordReset", "Sets a new password by the token of the mail. All sessions end.", anybody,
		textsSchema("token", "password", "passwordConfirm"), done)
	add("request-verification", "requestVerification", "Mails a link to confirm the address.", anybody, textsSchema("email"), requested)
	add("confirm-verification", "confirmVerification", "Confirms the address by the token of the mail.", anybody, textsSchema("token"), done)
	add("request-email-change", "requestEmailChange", "Mails a link to the new address.", signedIn, textsSchema("newEmail"), done, 401, 403)
	add("confirm-email-change", "confirmEmailChange", "Changes the address by the token of the mail and the password. All sessions end.", anybody,
		textsSchema("token", "password"), done)
}

func authMethodsOperation(c *core.Collection, name string) *Operation {
	object := func(properties map[string]*Schema, required ...string) *Schema {
		return &Schema{Type: "object", Required: required, Properties: properties}
	}
	yes := &Schema{Type: "boolean"}
	provider := textsSchema("name", "displayName", "state", "authURL", "codeVerifier", "codeChallenge", "codeChallengeMethod")
	timed := object(map[string]*Schema{"enabled": yes, "duration": {Type: "integer", Description: "seconds"}}, "enabled", "duration")
	return &Operation{
		ID: "authMethods" + name, Tags: []string{c.Name}, Summary: "How one can sign in.", Security: anybody,
		Responses: map[string]Response{"200": contentResponse("The ways.", jsonType, object(map[string]*Schema{
			"password": object(map[string]*Schema{"enabled": yes, "identityFields": listSchema(&Schema{Type: "string"})}, "enabled", "identityFields"),
			"oauth2":   object(map[string]*Schema{"enabled": yes, "providers": listSchema(provider)}, "enabled", "providers"),
			"mfa":      timed, "otp": timed,
		}, "password", "oauth2", "mfa", "otp"))},
	}
}
