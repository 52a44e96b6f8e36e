using System.Net;
using System.Text;
using System.Text.Json;
using EgpuFleet.Grains.Interfaces.Serving;

namespace EgpuFleet.Silo.Gateway.OpenAi;

/// <summary><c>POST /v1/chat/completions</c> and <c>/v1/completions</c>: the same generation, worded in two ways.</summary>
public sealed class Completions(Generations generations, ModelLookup models, GatewayMetrics metrics, TimeProvider time)
{
    public Task ChatAsync(HttpContext context) =>
        HandleAsync(context, CompletionRequest.ReadChat, (created, model) => new ChatDialect(created, model));

    public Task CompleteAsync(HttpContext context) =>
        HandleAsync(
            context,
            CompletionRequest.ReadCompletion,
            (created, model) => new CompletionDialect(created, model)
        );

    private async Task HandleAsync(
        HttpContext context,
        Func<JsonElement, CompletionRequest> read,
        Func<long, string, Dialect> word
    )
    {
        ArgumentNullException.ThrowIfNull(context);
        CompletionRequest request;
        using (var document = await RequestFields.ReadAsync(context.Request))
            request = read(document.RootElement);
        var model = await models.RequireAsync(request.Model, HttpStatusCode.NotFound);
        if (request.Messages is not null && !model.HasChatTemplate)
            throw new GatewayException(
                HttpStatusCode.BadRequest,
                "model_has_no_chat_template",
                $"{model.Ref.Name} has no chat template; use /v1/completions."
            )
            {
                Param = "model",
            };
        var choice = PlacementHeader.Read(context.Request);
        var dialect = word(time.GetUtcNow().ToUnixTimeSeconds(), request.Model);
        var meter = new RequestMeter(metrics, time, model.Ref.Name);
        try
        {
            var chunks = meter.CountAsync(
                generations.RunAsync(
                    model,
                    request.For(model.Ref, dialect.Id),
                    choice,
                    placement => PlacementHeader.Write(context.Response, placement),
                    context.RequestAborted
                )
            );
            if (request.Stream)
                await new CompletionStream(context, dialect, request.IncludeUsage, time).SendAsync(chunks);
            else
                await AnswerAsync(context, dialect, chunks);
        }
        finally
        {
            meter.End();
        }
    }

    private static async Task AnswerAsync(HttpContext context, Dialect dialect, IAsyncEnumerable<TokenChunk> chunks)
    {
        var text = new StringBuilder();
        TokenChunk last = default;
        await foreach (var chunk in chunks)
        {
            text.Append(chunk.Text);
            last = chunk;
        }
        var answer = dialect.Whole(
            text.ToString(),
            CompletionStream.FinishOf(last),
            Usage.Of(last.PromptTokens, last.CompletionTokens)
        );
        await context.Response.WriteAsJsonAsync(answer, answer.GetType(), OpenAiJson.Options, context.RequestAborted);
    }
}
