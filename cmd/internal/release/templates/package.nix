# nix-build -E '(import <nixpkgs> {}).callPackage ./mtool.nix {}'
{ lib, stdenvNoCC, fetchurl, installShellFiles }:
let
  archives = {
{{- range .Made}}{{$system := index $.Nix .String}}{{if $system}}
    {{$system}} = {
      url = "{{$.URL}}/{{.Archive}}";
      hash = "sha256-{{base64 .Sum}}";
    };
{{- end}}{{end}}
  };
  system = stdenvNoCC.hostPlatform.system;
in
stdenvNoCC.mkDerivation {
  pname = "mtool";
  version = "{{.Version}}";
  src = fetchurl (archives.${system} or (throw "mtool has no archive for ${system}"));
  nativeBuildInputs = [ installShellFiles ];
  installPhase = ''
    install -D mtool $out/bin/mtool
    installManPage man/man1/* man/man7/*
    installShellCompletion --cmd mtool --bash completions/mtool.bash --zsh completions/_mtool --fish completions/mtool.fish
    install -D -m 644 -t $out/share/doc/mtool LICENSE THIRD-PARTY-NOTICES.txt
  '';
  meta = {
    description = "Builds, merges, publishes and proves multi-platform images";
    homepage = "{{.Home}}";
    license = lib.licenses.asl20;
    mainProgram = "mtool";
    platforms = builtins.attrNames archives;
  };
}
