package delivertest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// PhoneMessage is what a phone got: the headers and the body that its push service was sent.
type PhoneMessage struct {
	Token  string
	Header http.Header
	Body   map[string]any
}

// Phones is a push service for phones, Apple's or Firebase's.
type Phones struct {
	URL    string
	Config string            // the file that configures the service
	Roots  *x509.CertPool    // roots to trust, or nil
	Gone   map[string]string // by token, why it is refused: Apple's reason or Firebase's code
	Down   int               // the status that is answered instead of anything else, unless 0
	Tokens int               // how many access tokens were given out

	t        testing.TB
	mu       sync.Mutex // guards received, and the fields above when tests change them while it serves
	received []PhoneMessage
}

// Received returns the messages so far.
func (p *Phones) Received() []PhoneMessage {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]PhoneMessage(nil), p.received...)
}

// Configure changes fields of p while it serves.
func (p *Phones) Configure(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

// The identity that NewApplePush expects.
const (
	AppleKeyID = "KEY1234567"
	AppleTeam  = "TEAM123456"
	AppleTopic = "com.example.doubletap"
)

// NewApplePush starts a server that speaks APNs over HTTP/2 and TLS. It refuses requests without a token that the key
// signed.
func NewApplePush(t testing.TB) *Phones {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := &Phones{t: t, Gone: map[string]string{}, Config: writeKeyFile(t, "apns.p8", key)}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.serveApple(w, r, &key.PublicKey) }))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	p.URL, p.Roots = server.URL, x509.NewCertPool()
	p.Roots.AddCert(server.Certificate())
	return p
}

func (p *Phones) serveApple(w http.ResponseWriter, r *http.Request, key *ecdsa.PublicKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	refuse := func(status int, reason string) {
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"reason":%q}`, reason)
	}
	device := strings.TrimPrefix(r.URL.Path, "/3/device/")
	token, err := jwt.Parse(strings.TrimPrefix(r.Header.Get("Authorization"), "bearer "), func(*jwt.Token) (any, error) { return key, nil },
		jwt.WithValidMethods([]string{"ES256"}), jwt.WithIssuer(AppleTeam), jwt.WithIssuedAt())
	switch {
	case p.Down != 0:
		refuse(p.Down, "ServiceUnavailable")
	case r.ProtoMajor != 2 || r.Method != http.MethodPost:
		refuse(http.StatusMethodNotAllowed, "MethodNotAllowed")
	case err != nil || token.Header["kid"] != AppleKeyID:
		refuse(http.StatusForbidden, "InvalidProviderToken")
	case r.Header.Get("apns-topic") != AppleTopic:
		refuse(http.StatusBadRequest, "TopicDisallowed")
	case p.Gone[device] == "Unregistered":
		refuse(http.StatusGone, "Unregistered")
	case p.Gone[device] != "":
		refuse(http.StatusBadRequest, p.Gone[device])
	default:
		p.receiveMessage(w, r, device)
	}
}

// NewFirebase starts a server that speaks FCM HTTP v1, with the token endpoint of its service account.
func NewFirebase(t testing.TB) *Phones {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048) // one account's key is no other's
	if err != nil {
		t.Fatal(err)
	}
	p := &Phones{t: t, Gone: map[string]string{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) { p.serveToken(w, r, &key.PublicKey) })
	mux.HandleFunc("POST /v1/projects/doubletap-test/messages:send", p.serveFirebase)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	p.URL = server.URL
	private, err := os.ReadFile(writeKeyFile(t, "key.pem", key))
	if err != nil {
		t.Fatal(err)
	}
	account, err := json.Marshal(map[string]string{
		"type": "service_account", "project_id": "doubletap-test", "client_email": "doubletap@example.com", "private_key_id": "1",
		"private_key": string(private), "token_uri": p.URL + "/token",
	})
	if err != nil {
		t.Fatal(err)
	}
	p.Config = filepath.Join(t.TempDir(), "account.json")
	if err := os.WriteFile(p.Config, account, 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// serveToken exchanges a token that the service account signed for an access token (RFC 7523).
func (p *Phones) serveToken(w http.ResponseWriter, r *http.Request, key *rsa.PublicKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	claims := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(r.FormValue("assertion"), claims, func(*jwt.Token) (any, error) { return key, nil },
		jwt.WithValidMethods([]string{"RS256"}), jwt.WithAudience(p.URL+"/token"), jwt.WithIssuer("doubletap@example.com"), jwt.WithExpirationRequired())
	if err != nil || claims["scope"] != "https://www.googleapis.com/auth/firebase.messaging" || r.FormValue("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
		http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
		return
	}
	p.Tokens++
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"access_token":"access-%d","token_type":"Bearer","expires_in":3600}`, p.Tokens)
}

func (p *Phones) serveFirebase(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.Down != 0 {
		w.Header().Set("Retry-After", "120")
		w.WriteHeader(p.Down)
		return
	}
	if r.Header.Get("Authorization") != fmt.Sprintf("Bearer access-%d", p.Tokens) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender is gone
	}
	var envelope struct {
		Message struct {
			Token string `json:"token"`
		} `json:"message"`
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if code := p.Gone[envelope.Message.Token]; code != "" {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintf(w, `{"error":{"code":404,"status":"NOT_FOUND","details":[{"@type":"type.googleapis.com/google.rpc.Help"},{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":%q}]}}`, code)
		return
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	p.receiveMessage(w, r, envelope.Message.Token)
}

// receiveMessage needs mu.
func (p *Phones) receiveMessage(w http.ResponseWriter, r *http.Request, token string) {
	got := PhoneMessage{Token: token, Header: r.Header}
	if err := json.NewDecoder(r.Body).Decode(&got.Body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	p.received = append(p.received, got)
	fmt.Fprintf(w, `{"name":"%d"}`, time.Now().UnixNano())
}

// writeKeyFile writes a private key to a file.
func writeKeyFile(t testing.TB, name string, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
