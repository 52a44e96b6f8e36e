using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Silo.Postgres.Retention;
using Npgsql;

namespace EgpuFleet.Contracts.Tests.Ledger;

/// <summary>A pass of retention ends, however fast jobs finish beside it.</summary>
public sealed class RetentionPassTests(LedgerDatabase database) : IClassFixture<LedgerDatabase>
{
    // For each job archived another one finishes, in the same moment.
    private const string EndlessFlow = """
        create sequence more start 1;
        create function another_finishes() returns trigger language plpgsql as $$
        declare
          nth bigint := nextval('more');
          next uuid := ('ffffffff-ffff-7fff-8fff-' || lpad(to_hex(nth), 12, '0'))::uuid;
        begin
          if nth > 20 then
            raise exception 'the pass does not end';
          end if;
          insert into job (id, pool, tenant, item_count, state, finished_at, end_code, end_message)
          select next, pool, tenant, item_count, state, clock_timestamp(), end_code, end_message
          from job where id = new.id;
          insert into job_spec (job, spec, items) select next, spec, items from job_spec where job = new.id;
          return new;
        end
        $$;
        create trigger flow after insert on job_archive for each row execute function another_finishes();
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Jobs_that_finish_meanwhile_are_left_to_the_next_pass()
    {
        var rig = await LedgerRig.CreateAsync(database.Ledger);
        await rig.CommitAsync(LedgerRig.Cancel(await rig.SubmitAsync(1)));
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        await using (var flow = source.CreateCommand(EndlessFlow))
            await flow.ExecuteNonQueryAsync(Token);
        var now = RetentionRules.Default with { FinishedJobs = TimeSpan.Zero, ArchivedJobs = TimeSpan.Zero };

        var passes = new List<RetentionPass>();
        for (var i = 0; i < 3; i++)
            passes.Add(await database.Ledger.RetireAsync(now, Token));

        Assert.All(passes, pass => Assert.Equal(1, pass.ArchivedJobs));
        Assert.Equal([1, 1, 1], passes.Select(pass => pass.ForgottenJobs));
        Assert.Single(await rig.ListAsync(JobState.Cancelled, limit: 9));
    }
}
