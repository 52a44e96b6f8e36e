using EgpuFleet.Silo.Postgres;

namespace EgpuFleet.Silo.Tests.Postgres;

/// <summary>The parts that need no server.</summary>
public sealed class PostgresPartsTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("egpufleet-test-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Library_links_of_the_npm_package_are_made_again()
    {
        Directory.CreateDirectory(Path.Combine(_root, "lib"));
        File.WriteAllText(Path.Combine(_root, "lib", "libx.so.1.2"), "library");
        WriteLinks("""[{"source":"native/lib/libx.so.1.2","target":"native/lib/libx.so.1"}]""");
        NpmPostgresLinks.Restore(_root);
        NpmPostgresLinks.Restore(_root);
        Assert.Equal("library", File.ReadAllText(Path.Combine(_root, "lib", "libx.so.1")));
    }

    [Theory]
    [InlineData("""[{"source":"native/lib/a","target":"../../outside"}]""")]
    [InlineData("""[{"source":"/etc/passwd","target":"native/lib/a"}]""")]
    [InlineData("""[{"target":"native/lib/a"}]""")]
    [InlineData("""{"not":"a list"}""")]
    [InlineData("[")]
    public void A_hostile_list_of_links_is_refused(string links)
    {
        WriteLinks(links);
        var error = Assert.Throws<EmbeddedPostgresException>(() => NpmPostgresLinks.Restore(_root));
        Assert.Equal(EmbeddedPostgresFault.BinariesMissing, error.Fault);
    }

    [Fact]
    public void Open_files_listed_by_lsof_name_the_servers_of_one_folder()
    {
        // Constructed from the manual's description of field output: not recorded on a Mac.
        const string output = "p101\nfcwd\nn/data/a\np102\nfcwd\nn/data/b\np103\nfcwd\nn/data/a\n";
        Assert.Equal([101, 103], PostgresProcesses.ParseLsof(output, "/data/a"));
        Assert.Empty(PostgresProcesses.ParseLsof("", "/data/a"));
    }

    [Fact]
    public void The_real_path_follows_every_link_on_the_way()
    {
        var real = Directory.CreateDirectory(Path.Combine(_root, "real", "inner")).FullName;
        Directory.CreateSymbolicLink(Path.Combine(_root, "link"), "real");
        Directory.CreateSymbolicLink(Path.Combine(_root, "real", "up"), "../link/inner");
        Assert.Equal(RealPath.Of(real), RealPath.Of(Path.Combine(_root, "link", "up")));
        Assert.Equal(RealPath.Of(real) + "/new", RealPath.Of(Path.Combine(_root, "link", "up", "new")));
        File.CreateSymbolicLink(Path.Combine(_root, "loop"), "loop");
        Assert.Throws<IOException>(() => RealPath.Of(Path.Combine(_root, "loop")));
    }

    [Theory]
    [InlineData("; rm -rf /")]
    [InlineData("$(id)")]
    [InlineData("a b")]
    public void A_setting_that_a_shell_would_read_otherwise_is_refused(string value)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal) { ["work_mem"] = value };
        Assert.Throws<ArgumentException>(() => PostgresSettings.Arguments(5432, settings));
    }

    [Fact]
    public void A_half_written_postmaster_file_is_no_server()
    {
        Assert.Null(PostmasterFile.Read(_root));
        File.WriteAllText(PostmasterFile.PathIn(_root), "123\n/data");
        Assert.Null(PostmasterFile.Read(_root));
    }

    private void WriteLinks(string links) => File.WriteAllText(Path.Combine(_root, "pg-symlinks.json"), links);
}
