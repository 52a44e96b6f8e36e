using EgpuFleet.NodeAgent.Models;

namespace EgpuFleet.NodeAgent.Tests.Measuring;

public sealed class ModelLoanTests
{
    private readonly ModelLoan loan = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Asking_ends_a_use_and_keeps_new_ones_away_until_it_is_over()
    {
        var using1 = loan.UseAsync(token => Task.Delay(Timeout.InfiniteTimeSpan, token), Token);

        using (loan.Recall())
        {
            Assert.False(await using1);
            Assert.False(await loan.UseAsync(_ => throw new InvalidOperationException("not lent"), Token));
        }

        Assert.True(await loan.UseAsync(_ => Task.CompletedTask, Token));
    }

    [Fact]
    public async Task A_use_that_fails_or_is_cancelled_by_its_owner_says_so()
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var cancelled = loan.UseAsync(token => Task.Delay(Timeout.InfiniteTimeSpan, token), stopping.Token);
        await stopping.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        await Assert.ThrowsAsync<IOException>(() => loan.UseAsync(_ => throw new IOException("full"), Token));
        Assert.True(await loan.UseAsync(_ => Task.CompletedTask, Token));
    }
}
