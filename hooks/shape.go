package hooks

import (
	"time"

	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"

	"github.com/doubletap/doubletap/internal/apidoc"
	"github.com/doubletap/doubletap/internal/guard"
)

// What a client stores as JSON is read by other people's clients, which trust the published schema. So it is checked,
// whoever writes it.

func (s *Social) bindShapes() {
	s.app.OnRecordCreate().BindFunc(answerErrors(checkShapes))
	s.app.OnRecordUpdate().BindFunc(answerErrors(checkShapes))
	s.app.OnRecordValidate("settings").BindFunc(validateSettings)
}

// checkShapes wraps a lone string where a list of strings is meant, and refuses JSON that is not as described.
func checkShapes(e *core.RecordEvent) error {
	c, wrong := e.Record.Collection(), validation.Errors{}
	for _, field := range apidoc.ShapedFields(c.Name, c.Fields.FieldNames()) {
		text, isJSON := e.Record.GetRaw(field).(types.JSONRaw)
		if !isJSON || !guard.ClientMaySet(c.Name, field, e.Record.IsNew()) {
			continue
		}
		text = apidoc.WrapField(c.Name, field, text)
		e.Record.SetRaw(field, text)
		if err := apidoc.CheckField(c.Name, field, text); err != nil {
			wrong[field] = validation.NewError("validation_shape", "Must be as the API describes it: "+err.Error()+".")
		}
	}
	if len(wrong) > 0 {
		return wrong
	}
	return e.Next()
}

// validateSettings refuses quiet hours with only one end, and a time zone that does not exist.
func validateSettings(e *core.RecordEvent) error {
	wrong := validation.Errors{}
	from, to := e.Record.GetString("quietFrom"), e.Record.GetString("quietTo")
	for field, missing := range map[string]bool{"quietFrom": from == "" && to != "", "quietTo": to == "" && from != ""} {
		if missing {
			wrong[field] = validation.NewError("validation_required", "Quiet hours have a beginning and an end.")
		}
	}
	zone := e.Record.GetString("timezone")
	if _, err := time.LoadLocation(zone); err != nil || zone == "Local" {
		wrong["timezone"] = validation.NewError("validation_timezone", "Must be a time zone such as Europe/Berlin.")
	}
	if len(wrong) > 0 {
		return wrong
	}
	return e.Next()
}
