# SPDX-License-Identifier: MIT
export PS1='\[\e[1m\]dom0\[\e[0m\]:\w# '
alias ll='ls -l'
