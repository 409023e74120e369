// What `protoc --go_out=. --go-grpc_out=.` does, where there is no protoc:
// `generate PROTO_FOLDER PROTO_FILE GO_PACKAGE PLUGIN_FOLDER`. Writes the stubs to the folder of the package.
package main

import (
	"bytes"
	"context"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func main() {
	folder, file, goPackage, plugins := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	compiler := protocompile.Compiler{
		Resolver:       &protocompile.SourceResolver{ImportPaths: []string{folder}},
		SourceInfoMode: protocompile.SourceInfoStandard, // the comments
	}
	compiled := must(compiler.Compile(context.Background(), file))
	module, _, _ := strings.Cut(goPackage, "/")
	request := must(proto.Marshal(&pluginpb.CodeGeneratorRequest{
		FileToGenerate: []string{file},
		Parameter:      proto.String("module=" + module + ",M" + file + "=" + goPackage),
		ProtoFile:      []*descriptorpb.FileDescriptorProto{protodesc.ToFileDescriptorProto(compiled[0])},
	}))
	for _, plugin := range []string{"protoc-gen-go", "protoc-gen-go-grpc"} {
		command := exec.Command(filepath.Join(plugins, plugin))
		command.Stdin, command.Stderr = bytes.NewReader(request), os.Stderr
		var response pluginpb.CodeGeneratorResponse
		if err := proto.Unmarshal(must(command.Output()), &response); err != nil {
			log.Fatal(err)
		}
		if response.Error != nil {
			log.Fatal(response.GetError())
		}
		for _, generated := range response.File {
			if err := os.MkdirAll(filepath.Dir(generated.GetName()), 0o755); err != nil {
				log.Fatal(err)
			}
			if err := os.WriteFile(generated.GetName(), []byte(generated.GetContent()), 0o644); err != nil {
				log.Fatal(err)
			}
		}
	}
}
