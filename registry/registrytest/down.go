package registrytest

import (
	"fmt"
	"net"
	"time"
)

// down closes all connections and refuses new ones.
func (s *Server) down() {
	s.mu.Lock()
	if !s.isDown {
		s.isDown = true
		_ = s.http.Listener.Close() // the error does not matter
	}
	s.mu.Unlock()
	s.http.CloseClientConnections()
}

// up listens on the same address again. It retries, since another connection may use the port for a moment.
func (s *Server) up() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isDown {
		return nil
	}
	var listener net.Listener
	err := fmt.Errorf("not tried")
	for range 100 {
		if listener, err = net.Listen("tcp", s.host); err == nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if err != nil {
		return err
	}
	s.isDown, s.http.Listener = false, listener
	go func() { _ = s.http.Config.Serve(listener) }() // returns when the server is closed
	return nil
}
