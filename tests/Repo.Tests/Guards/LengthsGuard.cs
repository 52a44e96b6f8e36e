using EgpuFleet.Repo.Tests.Checks;

namespace EgpuFleet.Repo.Tests.Guards;

/// <summary>Grows files and methods past the limit and sees the check turn red.</summary>
public sealed class LengthsGuard
{
    private const string Path = "src/Api/Long.cs";
    private static readonly Dictionary<string, string> None = [];

    [Theory]
    [InlineData("src/Api/Long.cs")]
    [InlineData("src/Dashboard/Long.razor")]
    [InlineData("infra/postgres/001_long.sql")]
    [InlineData("infra/long.sh")]
    public void A_long_file_is_found(string path)
    {
        Assert.Empty(Lengths.Check(SourceTree.Of((path, Repeat(Lengths.FileLines, "//"))), None));
        Assert.Single(Lengths.Check(SourceTree.Of((path, Repeat(Lengths.FileLines + 1, "//"))), None));
    }

    [Theory]
    [InlineData("class C {\nvoid M()\n{\n", "}\n}", 3)]
    [InlineData("class C {\npublic C()\n{\n", "}\n}", 3)]
    [InlineData("class C { int P {\nget\n{\n", "return 1;\n}\n} }", 4)]
    [InlineData("void Local()\n{\n", "}", 3)]
    [InlineData("", "", 0)]
    public void A_long_method_is_found(string head, string tail, int around)
    {
        var fits = Lengths.MethodLines - around;
        Assert.Empty(Lengths.Check(SourceTree.Of((Path, head + Repeat(fits, "F();") + tail)), None));
        Assert.NotEmpty(Lengths.Check(SourceTree.Of((Path, head + Repeat(fits + 1, "F();") + tail)), None));
    }

    [Fact]
    public void An_exception_allows_what_it_names()
    {
        var tree = SourceTree.Of((Path, $"class C {{\nvoid M()\n{{\n{Repeat(80, "F();")}}}\n}}"));
        Assert.Empty(
            Lengths.Check(
                tree,
                new Dictionary<string, string> { [$"{Path}#M"] = "A table that reads best in one piece." }
            )
        );
    }

    [Fact]
    public void An_exception_that_nothing_needs_is_found() =>
        Assert.Single(
            Lengths.Check(
                SourceTree.Of((Path, "class C;")),
                new Dictionary<string, string> { [Path] = "A table that reads best in one piece." }
            )
        );

    [Fact]
    public void An_exception_without_a_reason_is_found() =>
        Assert.Single(
            Lengths.Check(SourceTree.Of((Path, Repeat(400, "//"))), new Dictionary<string, string> { [Path] = "long" })
        );

    private static string Repeat(int lines, string line) => string.Concat(Enumerable.Repeat(line + "\n", lines));
}
