// Adds `region`, what stands behind the last comma of an earthquake's `place`. Speaks the JSON form of the rline contract
// (`format: json` on the wasm node): one row is one line, every value is wrapped in the name of its type.
package main

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
)

type value struct {
	String *string `json:"String,omitempty"`
}

type answer struct {
	Ok  map[string]value `json:"Ok,omitempty"`
	Err string           `json:"Err,omitempty"`
}

// One reader for all calls: what it has read ahead of a line must not be lost between them.
var input = bufio.NewReader(os.Stdin)

//go:wasmexport place_region
func placeRegion() {
	line, err := input.ReadBytes('\n')
	if err != nil && len(line) == 0 {
		send(answer{Err: "no row on standard input"})
		return
	}
	var row map[string]value
	if err := json.Unmarshal(line, &row); err != nil {
		send(answer{Err: "row: " + err.Error()})
		return
	}
	place := row["place"].String
	if place == nil {
		send(answer{Err: "column place is missing or no string"})
		return
	}
	region := strings.TrimSpace((*place)[strings.LastIndexByte(*place, ',')+1:])
	send(answer{Ok: map[string]value{"region": {String: &region}}})
}

func send(result answer) {
	text, err := json.Marshal(result)
	if err != nil {
		panic(err)
	}
	os.Stdout.Write(append([]byte{3}, text...))
}

func main() {}
