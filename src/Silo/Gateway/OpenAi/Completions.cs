using System.Net;
using System.Text.Json;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.Silo.Gateway.OpenAi.Chat;

namespace EgpuFleet.Silo.Gateway.OpenAi;

/// <summary><c>POST /v1/chat/completions</c> and <c>/v1/completions</c>: the same generation, worded in two ways.</summary>
public sealed class Completions(Generations generations, ModelLookup models, GatewayMetrics metrics, TimeProvider time)
{
    public Task ChatAsync(HttpContext context) =>
        HandleAsync(
            context,
            CompletionRequest.ReadChat,
            (created, request) => new ChatDialect(created, request.Model, request.OnModel?.Reading)
        );

    public Task CompleteAsync(HttpContext context) =>
        HandleAsync(
            context,
            CompletionRequest.ReadCompletion,
            (created, request) => new CompletionDialect(created, request.Model)
        );

    private async Task HandleAsync(
        HttpContext context,
        Func<JsonElement, CompletionRequest> read,
        Func<long, CompletionRequest, Dialect> word
    )
    {
        ArgumentNullException.ThrowIfNull(context);
        CompletionRequest request;
        using (var document = await RequestFields.ReadAsync(context.Request))
            request = read(document.RootElement);
        var model = await models.RequireAsync(request.Model, HttpStatusCode.NotFound);
        if (request.Prompts[0].Messages is not null && !model.HasChatTemplate)
            throw new GatewayException(
                HttpStatusCode.BadRequest,
                "model_has_no_chat_template",
                $"{model.Ref.Name} has no chat template; use /v1/completions."
            )
            {
                Param = "model",
            };
        request = request.On(model);
        var choice = PlacementHeader.Read(context.Request);
        var dialect = word(time.GetUtcNow().ToUnixTimeSeconds(), request);
        var pieces = ChoiceStreams.RunAsync(request.Choices, Run, context.RequestAborted);
        if (request.Stream)
            await new CompletionStream(context, dialect, request, time).SendAsync(pieces);
        else
            await AnswerAsync(
                context,
                dialect,
                new ChoiceGatherer(request.Prompts.Count, request.PerPrompt, withText: true),
                pieces
            );

        IAsyncEnumerable<TokenChunk> Run(int index, CancellationToken cancellationToken) =>
            new RequestMeter(metrics, time, model.Ref.Name).CountAsync(
                generations.RunAsync(
                    model,
                    request.For(model.Ref, dialect.Id, index),
                    choice,
                    placement => Placed(index, placement),
                    cancellationToken
                ),
                cancellationToken
            );

        // The answer has one header: the others mostly run where the first does, and may begin when it has been sent.
        void Placed(int index, RoutePlacement placement)
        {
            if (index == 0)
                PlacementHeader.Write(context.Response, placement);
        }
    }

    private static async Task AnswerAsync(
        HttpContext context,
        Dialect dialect,
        ChoiceGatherer gathered,
        IAsyncEnumerable<ChoiceChunk> pieces
    )
    {
        await foreach (var piece in pieces)
            gathered.Add(piece);
        var answer = dialect.Whole(gathered.Whole(), gathered.Usage);
        await context.Response.WriteAsJsonAsync(answer, answer.GetType(), OpenAiJson.Options, context.RequestAborted);
    }
}
