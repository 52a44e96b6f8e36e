using System.Net;
using System.Text.Json;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Silo.Gateway.OpenAi;
using Npgsql;
using Orleans.Runtime;
using Orleans.Serialization;

namespace EgpuFleet.Silo.Gateway;

/// <summary>
/// The one place where a failure becomes an answer: refusals as they say, an absent database, leader or node as 503,
/// an answer without a body (unknown route, wrong method) as one with, and anything unforeseen as a logged 500.
/// </summary>
public sealed partial class ErrorBoundary(RequestDelegate next, ILogger<ErrorBoundary> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
            if (Bodiless(context) is { } refused && !context.Response.HasStarted)
                await WriteAsync(context, refused);
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            // The caller has left; nobody reads an answer.
        }
        catch (Exception e)
        {
            var refused = Classify(e);
            if (refused.Status == HttpStatusCode.InternalServerError)
                LogFailure(logger, context.Request.Method, context.Request.Path, e);
            if (context.Response.HasStarted)
                context.Abort();
            else
                await WriteAsync(context, refused);
        }
    }

    /// <summary>What an exception means to the caller; 500 means that nobody foresaw it.</summary>
    public static GatewayException Classify(Exception exception) =>
        exception switch
        {
            GatewayException refused => refused,
            BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } => GatewayException.TooLarge(
                "The request body is larger than this route accepts."
            ),
            BadHttpRequestException bad => new(
                (HttpStatusCode)bad.StatusCode,
                "bad_request",
                "The request is malformed or broke off."
            ),
            GenerationException generation => GenerationFaults.From(generation),
            JsonException => GatewayException.BadRequest("invalid_json", "The body is not valid JSON."),
            PoolUnavailableException => GatewayException.Unavailable("pool_unavailable", exception.Message),
            JobArchivedException archived => new(HttpStatusCode.Gone, "job_archived", archived.Message),
            LedgerUnavailableException { Fault: LedgerFault.DiskFull } => GatewayException.Unavailable(
                "disk_full",
                "The disk of the database is full."
            ),
            LedgerUnavailableException or NpgsqlException => GatewayException.Unavailable(
                "ledger_unavailable",
                "The database does not answer."
            ),
            ChunkMissingException missing => new(HttpStatusCode.Conflict, "checkpoint_damaged", missing.Message),
            NodeOfflineException => GatewayException.Unavailable("node_offline", exception.Message),
            // Orleans' own failures (silo gone, message rejected, no answer in time) pass with the next attempt; so does a
            // look-up that it gave up, which is not the caller's doing.
            TimeoutException
            or OperationCanceledException
            or OrleansException
            or SiloUnavailableException
            or EnumerationAbortedException
            or SerializerException => GatewayException.Unavailable(
                "cluster_unavailable",
                "The cluster does not answer."
            ),
            _ => new(HttpStatusCode.InternalServerError, "internal_error", "The gateway failed; its log says why."),
        };

    private static GatewayException? Bodiless(HttpContext context) =>
        context.Response switch
        {
            { ContentLength: > 0 } or { ContentType: not null } => null,
            { StatusCode: 404 } => GatewayException.NotFound($"Nothing is at {context.Request.Path}."),
            { StatusCode: 405 } => new(
                HttpStatusCode.MethodNotAllowed,
                "method_not_allowed",
                $"{context.Request.Path} does not allow {context.Request.Method}."
            ),
            { StatusCode: 415 } => new(
                HttpStatusCode.UnsupportedMediaType,
                "unsupported_media_type",
                "This route does not take such a content type."
            ),
            { StatusCode: 413 } => GatewayException.TooLarge("The request body is larger than this route accepts."),
            { StatusCode: >= 400 and < 500 and var status } => new(
                (HttpStatusCode)status,
                "bad_request",
                "The request cannot be understood."
            ),
            _ => null,
        };

    private static Task WriteAsync(HttpContext context, GatewayException refused)
    {
        // A method list, say, stays; a half-made body description does not.
        context.Response.ContentType = null;
        context.Response.ContentLength = null;
        context.Response.StatusCode = (int)refused.Status;
        if (refused.RetryAfter is { } wait)
            context.Response.Headers.RetryAfter = ((int)Math.Ceiling(wait.TotalSeconds)).ToString();
        return context.Request.Path.StartsWithSegments("/v1", StringComparison.Ordinal)
            ? OpenAiError.WriteAsync(context, refused)
            : Problem.WriteAsync(context, refused);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed")]
    private static partial void LogFailure(ILogger logger, string method, string path, Exception exception);
}
