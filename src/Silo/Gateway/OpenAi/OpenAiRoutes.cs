using System.Net;
using EgpuFleet.Grains.Interfaces.Models;

namespace EgpuFleet.Silo.Gateway.OpenAi;

/// <summary>The routes that any OpenAI client knows.</summary>
public static class OpenAiRoutes
{
    public static void MapOpenAi(this IEndpointRouteBuilder routes)
    {
        var openAi = routes.MapGroup("/v1").WithTags("openai");
        openAi
            .MapPost("chat/completions", (HttpContext context, Completions all) => all.ChatAsync(context))
            .Produces<Answer<ChatChoice>>()
            .WithSummary("Chat, streamed or not");
        openAi
            .MapPost("completions", (HttpContext context, Completions all) => all.CompleteAsync(context))
            .Produces<Answer<TextChoice>>()
            .WithSummary("Continue a text, streamed or not");
        openAi
            .MapPost("embeddings", (HttpContext context, Embeddings all) => all.HandleAsync(context))
            .Produces<EmbeddingsAnswer>()
            .WithSummary("Vectors of texts");
        openAi.MapGet("models", ListAsync).WithSummary("All registered models");
        openAi.MapGet("models/{model}", GetAsync).WithSummary("One model");
    }

    private static async Task<IResult> ListAsync(Fleet fleet)
    {
        var models = await fleet.Models.List();
        return Results.Json(new OpenAiModels("list", [.. models.Select(Show)]), OpenAiJson.Options);
    }

    private static async Task<IResult> GetAsync(string model, ModelLookup models) =>
        Results.Json(Show(await models.RequireAsync(model, HttpStatusCode.NotFound)), OpenAiJson.Options);

    private static OpenAiModel Show(ModelRecord model) =>
        new(
            model.Ref.Name,
            "model",
            model.CreatedAt.ToUnixTimeSeconds(),
            "egpufleet",
            new OpenAiModelExtras(model.Quantization, model.ContextLength, model.HasChatTemplate, model.Ref.Base?.Name)
        );
}

/// <summary>A list of models as OpenAI answers it.</summary>
public sealed record OpenAiModels(string Object, IReadOnlyList<OpenAiModel> Data);

/// <summary>A model: OpenAI's four fields, and ours under one key.</summary>
public sealed record OpenAiModel(string Id, string Object, long Created, string OwnedBy, OpenAiModelExtras Egpufleet);

/// <param name="Base">Name of the model it is an adapter of; null for one of its own.</param>
public sealed record OpenAiModelExtras(string Quantization, int ContextLength, bool HasChatTemplate, string? Base);
