using System.CommandLine;
using System.Net;
using EgpuFleet.Api;

namespace EgpuFleet.Cli.CommandLine;

/// <summary>Turns what can go wrong into one line of what happened, one line of what to do, and the exit code.</summary>
internal static class Failures
{
    public static async Task<int> GuardAsync(
        Func<Task<int>> run,
        ParseResult parsed,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await run();
        }
        catch (FleetFailure e)
        {
            return Say(e.Message, e.Action, e.ExitCode);
        }
        catch (FleetApiException e)
        {
            var code = e.Status == HttpStatusCode.NotFound ? ExitCodes.NotFound : ExitCodes.Failed;
            return Say(
                e.Message,
                e.Problem?.TraceId is { } trace && (int)e.Status >= 500 ? $"Trace {trace} tells more." : null,
                code
            );
        }
        catch (HttpRequestException e)
        {
            using var invocation = new Invocation(parsed, TimeProvider.System);
            var gateway = invocation.Gateway.ToString().TrimEnd('/');
            return e.HttpRequestError == HttpRequestError.ConnectionError
                ? Say($"No fleet is running at {gateway}.", "Start one with ./fleet up.", ExitCodes.Failed)
                : Say($"The gateway at {gateway} broke off: {e.Message}", "Try again.", ExitCodes.Failed);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return Say("Stopped.", null, ExitCodes.Failed);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Say(e.Message, null, ExitCodes.Failed);
        }
    }

    private static int Say(string message, string? action, int code)
    {
        Console.Error.WriteLine(message);
        if (action is not null)
            Console.Error.WriteLine(action);
        return code;
    }
}
