using System.Security.Cryptography;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Silo.Postgres.Files;
using EgpuFleet.TestKit.Postgres;
using Npgsql;

namespace EgpuFleet.Silo.Tests.Postgres;

/// <summary>Uploaded files in the database: whole or not at all.</summary>
public sealed class FileTablesTests(ScratchPostgres server) : IAsyncLifetime
{
    private static readonly TenantId Owner = new("owner");

    private NpgsqlDataSource? database;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private FileTables Files => new(database!);

    public async ValueTask InitializeAsync() =>
        database = NpgsqlDataSource.Create(await server.CreateDatabaseAsync(cancellationToken: Token));

    public async ValueTask DisposeAsync()
    {
        if (database is not null)
            await database.DisposeAsync();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(Limits.FileChunkBytes)]
    [InlineData(Limits.FileChunkBytes + 1)]
    [InlineData((3 * Limits.FileChunkBytes) - 7)]
    public async Task What_comes_in_comes_out(int size)
    {
        var bytes = RandomNumberGenerator.GetBytes(size);
        var kept = await KeepAsync(NewId(), bytes);
        Assert.Equal((size, Convert.ToHexStringLower(SHA256.HashData(bytes))), ((int)kept.SizeBytes, kept.Sha256));
        Assert.Equal(kept, await Files.FindAsync(kept.Id, Owner, Token));
        await using var content = Files.Open(kept);
        using var read = new MemoryStream();
        await content.CopyToAsync(read, Token);
        Assert.Equal(bytes, read.ToArray());
        content.Seek(size / 2, SeekOrigin.Begin);
        var rest = new byte[size - (size / 2)];
        await content.ReadExactlyAsync(rest, Token);
        Assert.Equal(bytes[(size / 2)..], rest);
        Assert.Equal(0, await content.ReadAsync(rest, Token));
    }

    [Fact]
    public async Task What_is_not_kept_leaves_nothing()
    {
        await using (var incoming = await Files.ReceiveAsync(Owner, NewId(), Token))
        {
            using var content = new MemoryStream(new byte[Limits.FileChunkBytes + 5]);
            await incoming.WriteAsync(content, Token);
            Assert.Empty(await Files.ListAsync(Owner, new FilePage(null, null, false, 10), Token));
        }
        Assert.Equal(0, await CountAsync("file_chunk"));
        Assert.Equal(0, await CountAsync("file"));
    }

    [Fact]
    public async Task A_removed_file_is_gone_with_its_chunks_and_reading_on_fails()
    {
        var file = await KeepAsync(NewId(), new byte[Limits.FileChunkBytes + 5]);
        await using var content = Files.Open(file);
        await content.ReadExactlyAsync(new byte[Limits.FileChunkBytes], Token);
        Assert.Equal(FileRemoval.Gone, await Files.RemoveAsync(Owner, file.Id, Token));
        Assert.Equal(FileRemoval.Gone, await Files.RemoveAsync(Owner, file.Id, Token));
        Assert.Null(await Files.FindAsync(file.Id, Owner, Token));
        Assert.Equal(0, await CountAsync("file_chunk"));
        await Assert.ThrowsAsync<IOException>(async () => await content.ReadExactlyAsync(new byte[5], Token));
    }

    [Fact]
    public async Task Tenants_do_not_see_or_remove_each_others_files()
    {
        var file = await KeepAsync(NewId(), [1]);
        var other = new TenantId("other");
        Assert.Null(await Files.FindAsync(file.Id, other, Token));
        Assert.Empty(await Files.ListAsync(other, new FilePage(null, null, false, 10), Token));
        await Files.RemoveAsync(other, file.Id, Token);
        Assert.NotNull(await Files.FindAsync(file.Id, Owner, Token));
        Assert.NotNull(await Files.FindAsync(file.Id, null, Token));
    }

    [Fact]
    public async Task Files_are_listed_in_pages_either_way()
    {
        var ids = new List<FileId>();
        for (var i = 0; i < 4; i++)
            ids.Add((await KeepAsync(NewId(i), [1], i == 2 ? "batch" : "fine-tune")).Id);
        Assert.Equal([ids[3], ids[2]], await IdsAsync(new FilePage(null, null, false, 2)));
        Assert.Equal([ids[1], ids[0]], await IdsAsync(new FilePage(null, ids[2], false, 9)));
        Assert.Equal([ids[2], ids[3]], await IdsAsync(new FilePage(null, ids[1], true, 9)));
        Assert.Equal([ids[2]], await IdsAsync(new FilePage("batch", null, false, 9)));
    }

    [Theory]
    [InlineData("training", 1, FileRemoval.InUse)]
    [InlineData("validation", 0, FileRemoval.InUse)]
    [InlineData("validation", 6, FileRemoval.InUse)]
    [InlineData("training", 2, FileRemoval.Gone)]
    public async Task A_file_stays_while_a_run_needs_it(string role, int state, FileRemoval expected)
    {
        var file = await KeepAsync(NewId(), [1]);
        await using var job = database!.CreateCommand(
            """
            with j as (
              insert into job (id, pool, tenant, item_count, kind, state, started_at, finished_at, completed_items)
              values ($1, 'default', 'owner', 1, 3, $2, now(), case when $2 = 2 then now() end, case when $2 = 2 then 1 else 0 end)
            )
            insert into job_spec (job, spec)
            select $1, json_build_object('train', json_build_object($3::text, json_build_object('id', $4::text)))
            """
        );
        foreach (var value in (object[])[Guid.NewGuid(), (short)state, role, file.Id.ToString()])
            job.Parameters.Add(new NpgsqlParameter { Value = value });
        await job.ExecuteNonQueryAsync(Token);
        Assert.Equal(expected, await Files.RemoveAsync(Owner, file.Id, Token));
        Assert.Equal(expected == FileRemoval.Gone, await Files.FindAsync(file.Id, Owner, Token) is null);
    }

    [Fact]
    public async Task A_tenant_that_has_all_it_may_is_told_and_nothing_is_kept()
    {
        await using (
            var full = database!.CreateCommand(
                "insert into file (id, tenant, name, purpose, size_bytes, sha256) "
                    + "values (gen_random_uuid(), 'owner', 'x', 'batch', $1, sha256(''))"
            )
        )
        {
            full.Parameters.Add(new NpgsqlParameter { Value = Limits.TenantFileBytes });
            await full.ExecuteNonQueryAsync(Token);
        }
        await Assert.ThrowsAsync<FilesFullException>(() => KeepAsync(NewId(), [1]));
        Assert.Equal(1, await CountAsync("file"));
        Assert.Equal(0, await CountAsync("file_chunk"));
    }

    [Fact]
    public async Task A_database_that_does_not_answer_is_a_ledger_that_is_not_available()
    {
        await using var nowhere = NpgsqlDataSource.Create("Host=127.0.0.1;Port=9;Timeout=1");
        await Assert.ThrowsAsync<LedgerUnavailableException>(() =>
            new FileTables(nowhere).ReceiveAsync(Owner, NewId(), Token)
        );
    }

    private static FileId NewId(int second = 0) =>
        new(Guid.CreateVersion7(DateTimeOffset.FromUnixTimeSeconds(1 + second)));

    private async Task<StoredFile> KeepAsync(FileId id, byte[] bytes, string purpose = "fine-tune")
    {
        await using var incoming = await Files.ReceiveAsync(Owner, id, Token);
        using var content = new MemoryStream(bytes);
        await incoming.WriteAsync(content, Token);
        return await incoming.KeepAsync("train.jsonl", purpose, Token);
    }

    private async Task<IEnumerable<FileId>> IdsAsync(FilePage page) =>
        (await Files.ListAsync(Owner, page, Token)).Select(file => file.Id);

    private async Task<long> CountAsync(string table)
    {
        await using var count = database!.CreateCommand($"select count(*) from {table}");
        return (long)(await count.ExecuteScalarAsync(Token))!;
    }
}
