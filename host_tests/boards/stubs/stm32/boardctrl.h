// SPDX-License-Identifier: MIT
// As much of the stm32 port's header of this name as our files use.
struct _boardctrl_state_t;
void boardctrl_end_soft_reset(struct _boardctrl_state_t *state);
