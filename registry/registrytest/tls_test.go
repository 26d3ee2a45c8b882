package registrytest_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
)

func tlsClient(roots *x509.CertPool) *http.Client {
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true,
	}}
}
