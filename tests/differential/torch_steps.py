"""What a random loop of PyTorch does: optimizers, schedules, and rows for the parts of a step.

Names that are there: `net`, `optimizer`, `X` and `Y` (40 samples), `x` and `y` of the step, `out`,
`loss`. What divides by the size of a gradient has a large epsilon: of a bias before a normalisation
there is nothing but rounding.
"""

from __future__ import annotations

OPTIMIZERS = (
    "torch.optim.SGD({p}, lr=0.05)",
    "torch.optim.SGD({p}, 0.05, momentum=0.9, weight_decay=<1e-3|0.1>, nesterov=<False|True>)",
    "torch.optim.SGD({p}, 0.05, momentum=0.5, dampening=0.2, maximize=<False|True>)",
    "torch.optim.Adam({p}, 2e-3, eps=1e-3)",
    "torch.optim.Adam({p}, 2e-3, betas=(0.5, 0.9), eps=1e-3, weight_decay=<0|1e-2>, "
    "amsgrad=<False|True>)",
    "torch.optim.AdamW({p}, 2e-3, eps=1e-3, <fused=True|foreach=True|weight_decay=0.1>)",
    "torch.optim.RMSprop({p}, 1e-3, eps=1e-3, momentum=<0|0.9>, centered=<False|True>)",
    "torch.optim.Adagrad({p}, 1e-2, eps=1e-3, lr_decay=<0|0.1>)",
    "torch.optim.Adadelta({p}, <1.0|0.5>, rho=<0.9|0.95>, eps=1e-3)",
    "torch.optim.<Adamax|NAdam|RAdam>({p}, lr=1e-3, eps=1e-3)",
    "torch.optim.ASGD({p}, lr=1e-3)",
    "torch.optim.SGD([{{'params': [one]}} for one in {p}], lr=0.02, momentum=0.9)",
    "torch.optim.Adam([dict(params=list({p})[:1], lr=1e-2), dict(params=list({p})[1:])], lr=1e-3, "
    "eps=1e-3)",
    "torch.optim.SGD([one for one in {p} if one.ndim > 1], lr=0.05, weight_decay=5e-4)",
    "torch.optim.Adam(filter(lambda one: one.requires_grad, {p}), lr=torch.tensor(1e-3), eps=1e-3)",
)

SCHEDULES = (
    "StepLR(optimizer, <2|1>, gamma=0.5)",
    "MultiStepLR(optimizer, [1, 3], gamma=0.3)",
    "ExponentialLR(optimizer, 0.8)",
    "CosineAnnealingLR(optimizer, 6)",
    "CosineAnnealingWarmRestarts(optimizer, 2)",
    "LambdaLR(optimizer, lambda step: 1 / (1 + step))",
    "MultiplicativeLR(optimizer, lambda step: 0.9)",
    "OneCycleLR(optimizer, max_lr=0.05, total_steps=8)",
    "CyclicLR(optimizer, 1e-3, 1e-2, step_size_up=2, cycle_momentum=False)",
    "LinearLR(optimizer, total_iters=3)",
    "ConstantLR(optimizer, factor=0.5, total_iters=2)",
    "PolynomialLR(optimizer, total_iters=5)",
    "SequentialLR(optimizer, [torch.optim.lr_scheduler.LinearLR(optimizer, total_iters=2), "
    "torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)], [2])",
)

BATCHES = (
    "x, y = X[:8], Y[:8]",
    "x, y = X[<8:16|3:11|::5|-8:>], Y[<8:16|3:11|16:24|-8:>]",
    "picked = torch.randperm(40)[:<8|5|3|12>]; x, y = X[picked], Y[picked]",
    "x, y = X[<10:15|20:23|7:9|30:31>], Y[<10:15|20:23|7:9|30:31>]",
    "x, y = X[:8, ..., ::<2|1|2>].contiguous(), Y[:8]",
    "x, y = next(iter(torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X, Y), 8, "
    "shuffle=<True|False>)))",
    "x, y = torch.from_numpy(X[:8].numpy().copy()), Y[:8]",
    "x, y = X[:8].contiguous(memory_format=torch.channels_last), Y[:8]",
    "x, y = X.transpose(0, 1).contiguous().transpose(0, 1)[:8], Y[:8]",
    "x, y = X[:8].flip(-1), Y[:8]",
    "x, y = X[:8].clone().requires_grad_(True), Y[:8]",
    "x, y = X[:8].double().float(), Y[:8].clone()",
    "x, y = (X[:8] + 0.1 * torch.randn(8, *X.shape[1:])), Y[:8]",
    "mixed = torch.randperm(8); x, y = 0.7 * X[:8] + 0.3 * X[:8][mixed], Y[:8]",
)

CLEARED = (
    "optimizer.zero_grad()",
    "optimizer.zero_grad(set_to_none=<True|False>)",
    "net.zero_grad(<|set_to_none=False>)",
    "for one in net.parameters(): one.grad = None",
    "",
)
CLEARED_ALWAYS = ("optimizer.zero_grad()", "net.zero_grad()", "optimizer.zero_grad(True)")

NOTED = (
    "note('loss', loss)",
    "note('loss', loss.item())",
    "note('loss', loss.detach(), out.argmax(1))",
    "note('loss', float(loss.data), out)",
    "note('out', out.max(1)[1])",
    "",
)

VECTOR_LOSSES = (
    "F.cross_entropy(out, y)",
    "nn.CrossEntropyLoss(label_smoothing=<0.1|0.0>)(out, y)",
    "F.cross_entropy(out, y, weight=torch.arange(1, 6).float(), reduction='<mean|sum>')",
    "F.cross_entropy(out, y, ignore_index=2)",
    "F.cross_entropy(out, y, reduction='none').topk(2)[0].mean()",
    "F.cross_entropy(out, F.one_hot(y, 5).float())",
    "F.nll_loss(F.log_softmax(out, 1), y)",
    "nn.NLLLoss()(nn.LogSoftmax(dim=1)(out), y)",
    "F.mse_loss(out, F.one_hot(y, 5).float())",
    "F.l1_loss(out, F.one_hot(y, 5).float(), reduction='<mean|sum>')",
    "F.binary_cross_entropy_with_logits(out, F.one_hot(y, 5).float())",
    "F.binary_cross_entropy(torch.sigmoid(out), F.one_hot(y, 5).float())",
    "F.<smooth_l1_loss|huber_loss>(out, F.one_hot(y, 5).float())",
    "F.multi_margin_loss(out, y)",
    "F.multilabel_soft_margin_loss(out, F.one_hot(y, 5).float())",
    "F.kl_div(F.log_softmax(out, 1), F.softmax(X[:len(out)].flatten(1)[:, :5].float(), 1), "
    "reduction='batchmean')",
    "F.cosine_embedding_loss(out, F.one_hot(y, 5).float(), torch.ones(len(y)))",
    "F.triplet_margin_loss(out, out.roll(1, 0), out.roll(2, 0))",
    "F.poisson_nll_loss(out, y.float()[:, None].expand_as(out))",
    "F.gaussian_nll_loss(out, F.one_hot(y, 5).float(), torch.ones_like(out))",
    "-(F.one_hot(y, 5) * torch.log_softmax(out, -1)).sum(1).mean()",
    "out.logsumexp(1).mean() - out.gather(1, y[:, None]).mean()",
    "(out[torch.arange(len(y)), y] - 1).pow(2).mean() + out.var()",
    "out.sum()",
    "out[:, 0].mean()",
    "out.max()",
    "torch.linalg.vector_norm(out)",
    "((1 - F.softmax(out, 1).gather(1, y[:, None])) ** 2).mean()",
)
PIXEL_LOSSES = (
    "F.cross_entropy(out, y.view(-1, 1, 1).expand(len(y), *out.shape[2:]))",
    "F.cross_entropy(out.permute(0, 2, 3, 1).reshape(-1, 5), "
    "y.repeat_interleave(out[0, 0].numel()))",
    "F.mse_loss(torch.sigmoid(out), torch.zeros_like(out))",
    "F.l1_loss(out.view(len(y), -1), torch.ones(len(y), out[0].numel()))",
    "1 - 2 * torch.sigmoid(out).mean() / (torch.sigmoid(out).sum() / out.numel() + 1)",
    "F.binary_cross_entropy_with_logits(out[:, 0], (out[:, 0] > 0).float())",
    "(out[..., 1:] - out[..., :-1]).abs().mean() + out.mean()",
)
BESIDE = (  # what is added to a loss
    "",
    "",
    "1e-3 * sum(one.pow(2).sum() for one in net.parameters())",
    "1e-3 * sum(one.abs().sum() for name, one in net.named_parameters() if 'weight' in name)",
    "1e-2 * net(X[8:16]).pow(2).mean()",
    "0 * out.sum()",
    "F.mse_loss(out, out.detach() * 0.5)",
    "1e-3 * torch.cat([one.flatten() for one in net.parameters()]).norm()",
)

BACKWARDS = (
    "loss.backward()",
    "loss.backward(retain_graph=True); loss.backward()",
    "(loss * <0.5|2.0>).backward()",
    "loss.backward(); torch.nn.utils.clip_grad_norm_(net.parameters(), <0.5|0.01>)",
    "loss.backward(); torch.nn.utils.clip_grad_value_(net.parameters(), <0.01|1.0>)",
    "note('norm', torch.nn.utils.get_total_norm([one.grad for one in net.parameters() "
    "if one.grad is not None])) if loss.backward() is None else 0",
    "wanted = [one for one in net.parameters() if one.requires_grad]\n"
    "for one, found in zip(wanted, torch.autograd.grad(loss, wanted, allow_unused=True)):\n"
    "    one.grad = found",
    "for one, found in zip(net.parameters(), torch.autograd.grad(loss, list(net.parameters()), "
    "create_graph=True)):\n    one.grad = found.detach()",
    "(loss / 2).backward(); {take}; (out.pow(2).mean() / 2).backward()",
    "loss.backward()\nfor one in net.parameters():\n"
    "    if one.grad is not None: one.grad<|.data>.mul_(0.5)",
    "loss.backward()\nfor one in net.parameters():\n"
    "    if one.grad is not None: one.grad = one.grad + 0.01 * one.detach()",
    "loss.backward(inputs=list(net.parameters()))",
    "out.retain_grad(); loss.backward(); note('slope', out.grad)",
    "seen = []; out.register_hook(lambda slope: seen.append(slope.norm().item())); "
    "loss.backward(); note('seen', seen)",
    "slope, = torch.autograd.grad(loss, out, retain_graph=True); out.backward(slope)",
    "torch.amp.GradScaler('cpu', enabled=False).scale(loss).backward()",
    "wanted = [one for one in net.parameters() if one.requires_grad]\n"
    "penalty = sum(one.pow(2).sum() for one in torch.autograd.grad(loss, wanted, "
    "create_graph=True)); (loss + 0.1 * penalty).backward()",
)

STEPS = (
    "optimizer.step()",
    "def closure():\n    optimizer.zero_grad(); {take}; found = out.pow(2).mean()\n"
    "    found.backward(); return found\nnote('closure', optimizer.step(closure))",
    "with torch.no_grad():\n    for one in net.parameters():\n"
    "        if one.grad is not None: one.sub_(0.01 * one.grad)",
    "for one in net.parameters():\n"
    "    if one.grad is not None: one.data = one.data - 0.01 * one.grad",
    "optimizer.step(); optimizer.step()",
    "",
)

BETWEEN = (  # `backward` and `step` of a loop that never looks at gradients
    "torch.nn.utils.clip_grad_norm_(net.parameters(), 0.5)",
    "torch.nn.utils.clip_grad_value_(net.parameters(), 0.01)",
    "{take}; note('again', out)",
    "net.eval()\nwith torch.no_grad(): note('eval', net(X[:4]))\nnet.train()",
    "with torch.no_grad():\n    for one in net.parameters(): one.mul_(0.99)",
    "for one in net.parameters(): one.data = one.data * 0.95",
    "for one in net.parameters(): one.data.clamp_(-0.1, 0.1)",
    "next(net.parameters()).detach().numpy()[0] *= 0.5",
    "with torch.no_grad(): list(net.parameters())[0][...] = 0.05",
    "saved = copy.deepcopy(net.state_dict()); moments = copy.deepcopy(optimizer.state_dict())",
    "note('moments', [len(state) for state in optimizer.state.values()])",
    "{take}; out.pow(2).mean().backward()",
    "optimizer.zero_grad()",
    "net.zero_grad()",
    "for group in optimizer.param_groups: group['lr'] *= 0.5",
    "file = io.BytesIO(); torch.save(net, file)",
    "twin = copy.deepcopy(net); note('twin', twin(X[:8]))",
    "torch.manual_seed(1)",
)
