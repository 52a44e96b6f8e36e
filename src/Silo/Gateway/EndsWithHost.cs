namespace EgpuFleet.Silo.Gateway;

/// <summary>
/// Ends a request that may last for minutes when the host stops: a watched job would hold the silo until it is killed, and
/// the database would outlive it. The caller sees its connection close, and goes on elsewhere or later.
/// </summary>
public sealed class EndsWithHost(RequestDelegate next, IHostApplicationLifetime lifetime)
{
    public async Task InvokeAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var callerLeft = context.RequestAborted;
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(callerLeft, lifetime.ApplicationStopping);
        context.RequestAborted = ending.Token;
        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            context.Abort();
        }
        finally
        {
            context.RequestAborted = callerLeft;
        }
    }
}
