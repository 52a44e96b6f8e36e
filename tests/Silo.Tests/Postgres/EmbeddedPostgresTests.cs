using System.Diagnostics;
using EgpuFleet.Silo.Hosting;
using EgpuFleet.Silo.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace EgpuFleet.Silo.Tests.Postgres;

public sealed class EmbeddedPostgresTests : IAsyncLifetime
{
    private readonly string _root = Path.Combine(Path.GetTempPath(), $"egpufleet-test-{Guid.NewGuid():N}");
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string DataDirectory => new DataFolder(_root).Postgres;
    private EmbeddedPostgresOptions Options => new() { DataDirectory = DataDirectory };

    public ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(_root, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await EmbeddedPostgres.StopAsync(DataDirectory, NullLogger.Instance, CancellationToken.None);
        Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public async Task Data_survives_a_stop_and_a_start()
    {
        await using (var first = await StartAsync())
        {
            await ExecuteAsync(first, "create table kept as select 42 as answer");
            Assert.False(first.Adopted);
        }
        Assert.Empty(await PostgresProcesses.InAsync(RealPath.Of(DataDirectory), Token));
        await using var second = await StartAsync();
        Assert.False(second.Adopted);
        Assert.Equal(42, await ExecuteAsync(second, "select answer from kept"));
    }

    [Fact]
    public async Task A_killed_postmaster_is_started_again_with_its_data()
    {
        var first = await StartAsync();
        await ExecuteAsync(first, "create table kept as select 42 as answer");
        Kill(PostmasterFile.Read(DataDirectory)!.ProcessId);
        await first.DisposeAsync();
        await using var second = await StartAsync();
        Assert.False(second.Adopted);
        Assert.Equal(42, await ExecuteAsync(second, "select answer from kept"));
    }

    [Fact]
    public async Task A_server_that_outlived_its_silo_is_adopted()
    {
        using var silo = await SiloProcess.StartAsync(_root, [], Token);
        await silo.KillAsync(Token);
        var left = PostmasterFile.Read(DataDirectory)!.ProcessId;
        await using var server = await StartAsync();
        Assert.True(server.Adopted);
        Assert.Equal(left, PostmasterFile.Read(DataDirectory)!.ProcessId);
        await AssertMigratedAsync(server);
    }

    [Fact]
    public async Task A_server_whose_silo_was_killed_can_be_stopped()
    {
        Assert.False(await EmbeddedPostgres.StopAsync(DataDirectory, NullLogger.Instance, Token));
        using var silo = await SiloProcess.StartAsync(_root, [], Token);
        await AssertFaultAsync(
            EmbeddedPostgresFault.DataDirectoryInUse,
            () => EmbeddedPostgres.StopAsync(DataDirectory, NullLogger.Instance, Token)
        );
        await silo.KillAsync(Token);
        Assert.True(await EmbeddedPostgres.StopAsync(DataDirectory, NullLogger.Instance, Token));
        Assert.Empty(await PostgresProcesses.InAsync(RealPath.Of(DataDirectory), Token));
        Assert.False(await EmbeddedPostgres.StopAsync(DataDirectory, NullLogger.Instance, Token));
    }

    [Fact]
    public async Task Silo_and_postmaster_killed_together_start_again_with_all_data()
    {
        using var silo = await SiloProcess.StartAsync(_root, [], Token);
        await silo.KillAsync(Token);
        Kill(PostmasterFile.Read(DataDirectory)!.ProcessId);
        await using var server = await StartAsync();
        Assert.False(server.Adopted);
        await AssertMigratedAsync(server);
    }

    [Fact]
    public async Task A_process_id_given_to_another_process_is_not_taken_for_the_server()
    {
        await using (await StartAsync())
        {
            // Makes the cluster.
        }
        var mine = $"{Environment.ProcessId}\n{RealPath.Of(DataDirectory)}\n1\n5432\n\n127.0.0.1\n1 1\nready\n";
        await File.WriteAllTextAsync(PostmasterFile.PathIn(DataDirectory), mine, Token);
        await using var server = await StartAsync();
        Assert.False(server.Adopted);
        Assert.NotEqual(Environment.ProcessId, PostmasterFile.Read(DataDirectory)!.ProcessId);
    }

    [Fact]
    public async Task Two_starts_at_once_give_one_server()
    {
        var starts = new[] { StartAsync(), StartAsync() };
        var settled = await Task.WhenAll(starts.Select(async start => (object)await TryAsync(start)));
        var server = Assert.Single(settled.OfType<EmbeddedPostgres>());
        var refused = Assert.Single(settled.OfType<EmbeddedPostgresException>());
        Assert.Equal(EmbeddedPostgresFault.DataDirectoryInUse, refused.Fault);
        await server.DisposeAsync();
        await using var next = await StartAsync();

        static async Task<object> TryAsync(Task<EmbeddedPostgres> start)
        {
            try
            {
                return await start;
            }
            catch (EmbeddedPostgresException e)
            {
                return e;
            }
        }
    }

    [Fact]
    public async Task Data_of_another_major_version_is_left_alone()
    {
        await using (await StartAsync())
        {
            // Makes the cluster.
        }
        var version = Path.Combine(DataDirectory, "PG_VERSION");
        var real = await File.ReadAllTextAsync(version, Token);
        await File.WriteAllTextAsync(version, "99\n", Token);
        var error = await AssertFaultAsync(EmbeddedPostgresFault.VersionMismatch, StartAsync);
        Assert.Contains("PostgreSQL 99", error.Message, StringComparison.Ordinal);
        await File.WriteAllTextAsync(version, real, Token);
        await using var server = await StartAsync();
    }

    [Fact]
    public async Task A_folder_that_is_no_cluster_is_left_alone()
    {
        Directory.CreateDirectory(DataDirectory);
        var mine = Path.Combine(DataDirectory, "thesis.txt");
        await File.WriteAllTextAsync(mine, "years of work", Token);
        await AssertFaultAsync(EmbeddedPostgresFault.DataDirectoryUnusable, StartAsync);
        Assert.Equal("years of work", await File.ReadAllTextAsync(mine, Token));
    }

    [Fact]
    public async Task A_lost_password_file_is_named()
    {
        await using (await StartAsync())
        {
            // Makes the cluster.
        }
        File.Delete(DataDirectory + ".password");
        var error = await AssertFaultAsync(EmbeddedPostgresFault.DataDirectoryUnusable, StartAsync);
        Assert.Contains(".password", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_start_that_fails_quotes_the_servers_log_and_leaves_nothing_running()
    {
        var options = Options with
        {
            Settings = new Dictionary<string, string>(StringComparer.Ordinal) { ["shared_buffers"] = "rubbish" },
        };
        var error = await AssertFaultAsync(
            EmbeddedPostgresFault.StartFailed,
            () => EmbeddedPostgres.StartAsync(options, NullLogger.Instance, Token)
        );
        Assert.Contains("shared_buffers", error.Message, StringComparison.Ordinal);
        Assert.Empty(await PostgresProcesses.InAsync(RealPath.Of(DataDirectory), Token));
        await using var server = await StartAsync();
    }

    [Fact]
    public async Task Durability_is_on_and_the_server_is_private()
    {
        await using var server = await StartAsync();
        Assert.Equal("on", await ExecuteAsync(server, "show fsync"));
        Assert.Equal("on", await ExecuteAsync(server, "show synchronous_commit"));
        Assert.Equal("127.0.0.1", await ExecuteAsync(server, "show listen_addresses"));
        Assert.Equal("", await ExecuteAsync(server, "show unix_socket_directories"));
        Assert.Equal("UTF8", await ExecuteAsync(server, "show server_encoding"));
        const UnixFileMode ownerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Assert.Equal(ownerOnly, File.GetUnixFileMode(DataDirectory + ".password"));
        var wrong = new NpgsqlConnectionStringBuilder(server.ConnectionString) { Password = "guess", Pooling = false };
        await using var connection = new NpgsqlConnection(wrong.ConnectionString);
        var refused = await Assert.ThrowsAsync<PostgresException>(() => connection.OpenAsync(Token));
        Assert.Equal(PostgresErrorCodes.InvalidPassword, refused.SqlState);
    }

    [Fact]
    public async Task Root_hands_the_server_to_an_account_of_its_own_under_a_private_parent()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess && OperatingSystem.IsLinux(), "Needs root on Linux.");
        await using var server = await StartAsync();
        const UnixFileMode ownerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        Assert.Equal(ownerOnly, File.GetUnixFileMode(_root));
        Assert.Equal("0", await IdOfAsync("-c", "%u", _root));
        Assert.Equal(PostgresAccount.SystemName, await IdOfAsync("-c", "%U", DataDirectory));
        var process = $"/proc/{PostmasterFile.Read(DataDirectory)!.ProcessId}";
        Assert.Equal(PostgresAccount.SystemName, await IdOfAsync("-c", "%U", process));

        static async Task<string> IdOfAsync(params string[] arguments)
        {
            var result = await PostgresCommand.RunAsync(["stat", .. arguments], TimeSpan.FromSeconds(10), Token);
            return result.Output;
        }
    }

    [Fact]
    public async Task An_ordinary_user_needs_no_account()
    {
        Assert.SkipUnless(
            Environment.IsPrivilegedProcess && OperatingSystem.IsLinux(),
            "Switches users, so needs root on Linux."
        );
        string[] asNobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"];
        var assembly = Path.Combine(AppContext.BaseDirectory, "EgpuFleet.Silo.dll");
        var readable = await PostgresCommand.RunAsync(
            [.. asNobody, "test", "-r", assembly],
            TimeSpan.FromSeconds(10),
            Token
        );
        Assert.SkipUnless(readable.ExitCode == 0, "The checkout is not readable by other users.");
        await PostgresCommand.RunAsync(["chown", "65534:65534", _root], TimeSpan.FromSeconds(10), Token);
        using var silo = await SiloProcess.StartAsync(_root, asNobody, Token);
        Assert.NotEmpty(await PostgresProcesses.InAsync(RealPath.Of(DataDirectory), Token));
        await silo.KillAsync(Token);
    }

    private Task<EmbeddedPostgres> StartAsync() => EmbeddedPostgres.StartAsync(Options, NullLogger.Instance, Token);

    private static async Task<EmbeddedPostgresException> AssertFaultAsync(EmbeddedPostgresFault fault, Func<Task> act)
    {
        var error = await Assert.ThrowsAsync<EmbeddedPostgresException>(act);
        Assert.Equal(fault, error.Fault);
        return error;
    }

    /// <summary>Not waited for: a killed process whose parent collects no children never goes from the table.</summary>
    private static void Kill(int processId)
    {
        using var process = Process.GetProcessById(processId);
        process.Kill();
    }

    private static async Task AssertMigratedAsync(EmbeddedPostgres server) =>
        Assert.Equal(
            SiloProcess.Migrations,
            await ExecuteAsync(server, "select array_agg(scriptname::text order by scriptname) from schemaversions")
        );

    private static async Task<object?> ExecuteAsync(EmbeddedPostgres server, string sql)
    {
        await using var source = NpgsqlDataSource.Create(server.ConnectionString);
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Token);
    }
}
