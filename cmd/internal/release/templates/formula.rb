class Mtool < Formula
  desc "Builds, merges, publishes and proves multi-platform images"
  homepage "{{.Home}}"
  version "{{.Version}}"
  license "Apache-2.0"
{{range .Made}}{{$on := index $.Homebrew .String}}{{if $on}}
  if {{$on}}
    url "{{$.URL}}/{{.Archive}}"
    sha256 "{{hex .Sum}}"
  end
{{end}}{{end}}
  def install
    bin.install "mtool"
    man1.install Dir["man/man1/*"]
    man7.install Dir["man/man7/*"]
    bash_completion.install "completions/mtool.bash" => "mtool"
    zsh_completion.install "completions/_mtool"
    fish_completion.install "completions/mtool.fish"
    doc.install "LICENSE", "THIRD-PARTY-NOTICES.txt"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/mtool version")
  end
end
