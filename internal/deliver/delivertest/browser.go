package delivertest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Browsers is a push service and all the browsers it serves. It refuses requests without the key of the subscription,
// and each browser decrypts what it receives.
type Browsers struct {
	URL string

	t        testing.TB
	mu       sync.Mutex // guards all below
	answer   func(http.ResponseWriter, *http.Request) bool
	browsers map[string]*browser
	received []ReceivedPush
}

// ReceivedPush is a message that a browser received.
type ReceivedPush struct {
	Browser string // the browser's name
	Header  http.Header
	Body    map[string]any
	Size    int // bytes of the encrypted body
	Subject string
}

type browser struct {
	key       *ecdh.PrivateKey
	auth      []byte
	serverKey string
}

// NewBrowsers starts a push service that ends with the test.
func NewBrowsers(t testing.TB) *Browsers {
	t.Helper()
	b := &Browsers{t: t, browsers: map[string]*browser{}}
	server := httptest.NewServer(b)
	b.URL = server.URL
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return b
}

// Subscribe returns what a browser would store in devices: its endpoint and keys. serverKey is the public key that the
// browser was given; nobody may push with another key.
func (b *Browsers) Subscribe(name, serverKey string) (endpoint string, keys map[string]any) {
	b.t.Helper()
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		b.t.Fatal(err)
	}
	auth := make([]byte, 16)
	_, _ = rand.Read(auth) // it never fails
	b.mu.Lock()
	defer b.mu.Unlock()
	b.browsers[name] = &browser{key: key, auth: auth, serverKey: serverKey}
	encode := base64.RawURLEncoding.EncodeToString
	return b.URL + "/push/" + name, map[string]any{"p256dh": encode(key.PublicKey().Bytes()), "auth": encode(auth)}
}

// SetAnswer has fn choose the status and headers of an answer. A message that fn does not accept is not received. nil
// ends that.
func (b *Browsers) SetAnswer(fn func(w http.ResponseWriter, r *http.Request) (accepted bool)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answer = fn
}

// Received returns the messages so far.
func (b *Browsers) Received() []ReceivedPush {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]ReceivedPush(nil), b.received...)
}

func (b *Browsers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/push/")
	b.mu.Lock()
	who, answer := b.browsers[name], b.answer
	b.mu.Unlock()
	if answer != nil && !answer(w, r) {
		return
	}
	if who == nil {
		w.WriteHeader(http.StatusGone)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender is gone
	}
	subject, err := who.checkToken(r, b.URL)
	if err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	message, err := who.decryptBody(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	pushed := ReceivedPush{Browser: name, Header: r.Header, Size: len(body), Subject: subject}
	if err := json.Unmarshal(message, &pushed.Body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	b.mu.Lock()
	b.received = append(b.received, pushed)
	b.mu.Unlock()
	w.WriteHeader(http.StatusCreated)
}

// checkToken checks the VAPID token (RFC 8292) and returns the sender that it names.
func (who *browser) checkToken(r *http.Request, origin string) (string, error) {
	rest, ok := strings.CutPrefix(r.Header.Get("Authorization"), "vapid t=")
	token, key, both := strings.Cut(rest, ", k=")
	if !ok || !both {
		return "", fmt.Errorf("no VAPID header")
	}
	if key != who.serverKey {
		return "", fmt.Errorf("not the key of the subscription")
	}
	point, err := base64.RawURLEncoding.DecodeString(key)
	if err != nil {
		return "", fmt.Errorf("no key: %w", err)
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return "", fmt.Errorf("no key: %w", err)
	}
	claims := jwt.RegisteredClaims{}
	_, err = jwt.ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) { return public, nil },
		jwt.WithValidMethods([]string{"ES256"}), jwt.WithAudience(origin), jwt.WithExpirationRequired())
	if err != nil {
		return "", err
	}
	if time.Until(claims.ExpiresAt.Time) > 24*time.Hour {
		return "", fmt.Errorf("the token lasts longer than a day")
	}
	return claims.Subject, nil
}

// decryptBody decrypts a message of one record in aes128gcm (RFC 8188, 8291).
func (who *browser) decryptBody(body []byte) ([]byte, error) {
	if len(body) < 86 || len(body) > 4096 {
		return nil, fmt.Errorf("a body of %d bytes", len(body))
	}
	salt, size, sender, sealed := body[:16], binary.BigEndian.Uint32(body[16:20]), body[21:86], body[86:]
	if body[20] != 65 || uint32(len(sealed)) > size {
		return nil, fmt.Errorf("not one record of %d bytes", size)
	}
	public, err := ecdh.P256().NewPublicKey(sender)
	if err != nil {
		return nil, err
	}
	shared, err := who.key.ECDH(public)
	if err != nil {
		return nil, err
	}
	info := "WebPush: info\x00" + string(who.key.PublicKey().Bytes()) + string(sender)
	material, err := hkdf.Key(sha256.New, shared, who.auth, info, 32)
	if err != nil {
		return nil, err
	}
	key, err := hkdf.Key(sha256.New, material, salt, "Content-Encoding: aes128gcm\x00", 16)
	if err != nil {
		return nil, err
	}
	nonce, err := hkdf.Key(sha256.New, material, salt, "Content-Encoding: nonce\x00", 12)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	plain, err := gcm.Open(nil, nonce, sealed, nil)
	if err != nil {
		return nil, err
	}
	message := strings.TrimRight(string(plain), "\x00")
	if !strings.HasSuffix(message, "\x02") {
		return nil, fmt.Errorf("not the last record")
	}
	return []byte(strings.TrimSuffix(message, "\x02")), nil
}
