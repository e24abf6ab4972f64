package web

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/pocketbase/pocketbase/core"
)

// RedactLog keeps the names of a query's parameters, and takes their values out of addresses and of everything else
// that repeats them, such as the message of an error.
func RedactLog(log *core.Log) {
	address, _ := log.Data["url"].(string)
	values := queryValues(address)
	for key, value := range log.Data {
		if text, ok := value.(string); ok && (key == "url" || key == "referer") {
			log.Data[key] = redactQuery(text) // and nothing else, as a value may be a word of the path
			continue
		}
		log.Data[key] = redactValuesIn(value, values)
	}
	shown, _ := log.Data["url"].(string)
	if method, _ := log.Data["method"].(string); method != "" && shown != "" && strings.HasPrefix(log.Message, method+" /") {
		path, query, asked := strings.Cut(shown, "?")
		if meant, err := url.PathUnescape(path); err == nil {
			path = meant
		}
		if log.Message = method + " " + path; asked {
			log.Message += "?" + query
		}
		return
	}
	log.Message = redactValues(log.Message, values)
}

func redactValuesIn(value any, values []string) any {
	switch v := value.(type) {
	case string:
		return redactValues(v, values)
	case []string:
		for i := range v {
			v[i] = redactValues(v[i], values)
		}
	case []any:
		for i := range v {
			v[i] = redactValuesIn(v[i], values)
		}
	case map[string]any:
		for key := range v {
			v[key] = redactValuesIn(v[key], values)
		}
	}
	return value
}

const redactedValue = "*"

// parameterName matches what parameters are called; anything else in that place may be a secret itself.
var parameterName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,24}$`)

// redactQuery leaves only the names of parameters in an address's query.
func redactQuery(address string) string {
	path, query, asked := strings.Cut(address, "?")
	if !asked {
		return address
	}
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		name, _, named := strings.Cut(pair, "=")
		pairs[i] = redactedValue
		if named && parameterName.MatchString(name) {
			pairs[i] = name + "=" + redactedValue
		}
	}
	return path + "?" + strings.Join(pairs, "&")
}

// queryInText is a query inside a text, up to whatever cannot be part of one.
var queryInText = regexp.MustCompile(`\?[^\s"'<>]*=[^\s"'<>]*`)

func redactValues(text string, values []string) string {
	for _, value := range values {
		text = strings.ReplaceAll(text, value, redactedValue)
	}
	return queryInText.ReplaceAllStringFunc(text, redactQuery)
}

// Shorter values and literals reveal nothing, and are a part of many words.
const (
	minValueLength   = 8
	minLiteralLength = 4
)

var literalInFilter = regexp.MustCompile(`'[^']*'|"[^"]*"`)

// queryValues returns the values in an address's query, as written and decoded, and the literals of filters.
func queryValues(address string) []string {
	_, query, _ := strings.Cut(address, "?")
	var values []string
	for pair := range strings.SplitSeq(query, "&") {
		_, written, named := strings.Cut(pair, "=")
		if !named {
			written = pair
		}
		spellings := []string{written}
		if meant, err := url.QueryUnescape(written); err == nil {
			spellings = append(spellings, meant)
			for _, literal := range literalInFilter.FindAllString(meant, 200) {
				if literal = literal[1 : len(literal)-1]; len(literal) >= minLiteralLength {
					values = append(values, literal)
				}
			}
		}
		for _, value := range spellings {
			if len(value) >= minValueLength {
				values = append(values, value)
			}
		}
	}
	return values
}
